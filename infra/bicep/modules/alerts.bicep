// What somebody must look at: messages that could not be processed, books that disagree, orders that wait too long, errors, and
// a store that is asked too much. The lengths of single queues are no metric of Azure, so the log tells of what went into
// `orders-poison` and `orders-rejected`; a test finds each phrase in the code that logs it.

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Id of the Log Analytics workspace.')
param workspaceId string

@description('Id of the Cosmos DB account.')
param cosmosId string

@description('Id of the topic.')
param topicId string

@description('Address that alerts are sent to; empty for none.')
param email string

// `says` are the phrases of the log, any of which is one too many.
var logAlerts = [
  {
    name: 'poison-messages'
    description: 'An order or its message was given up. Look into the queue orders-rejected, which keeps it with the reason.'
    severity: 1
    says: [
      'a message was rejected'
      'a poisoned message was rejected'
      'an order was failed because its message could not be processed'
      'an order cannot be settled: somebody must look at it'
    ]
  }
  {
    name: 'books-disagree'
    description: 'Stock is not what its reservations and adjustments explain. GET /api/audit tells the product.'
    severity: 0
    says: [
      'the books of a product disagree'
      'an order cannot be read: somebody must look at it'
    ]
  }
  {
    name: 'orders-wait'
    description: 'An order is older than recovery lets it become. GET /api/audit tells which.'
    severity: 1
    says: [
      'an order waits too long'
      'an order is left for a person'
    ]
  }
  {
    name: 'events-rejected'
    description: 'A document announces something that cannot be read, or an event is none of ours. Look into the queues events-rejected and orders-rejected.'
    severity: 2
    says: [
      'an event cannot be published: somebody must look at it'
      'an event was rejected'
    ]
  }
  {
    name: 'mails-fail'
    description: 'Mails are refused: MAIL, MAIL_FROM or a role is wrong, or an address is none.'
    severity: 2
    says: [
      'mails cannot be sent: look at MAIL, MAIL_FROM and the roles of the identity'
      'a mail was rejected'
    ]
  }
  {
    name: 'webhooks-fail'
    description: 'A webhook was disabled after days of failures, or more wait than can be sent. GET /api/webhooks tells which.'
    severity: 3
    says: [
      'a webhook was disabled'
      'more events wait for webhooks than are rung for in a minute'
    ]
  }
]
var serverErrors = '''
AppRequests
| where AppRoleName != 'widgetco'
| summarize total = sum(ItemCount), failed = sumif(ItemCount, ResultCode startswith "5")
| where total >= 20
| extend percent = 100.0 * failed / total
| project percent
'''

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-widgetco'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'widgetco'
    enabled: true
    emailReceivers: [
      { name: 'operators', emailAddress: email, useCommonAlertSchema: true }
    ]
  }
}

resource onLog 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in logAlerts: {
    name: 'alert-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.name
      description: alert.description
      severity: alert.severity
      enabled: true
      scopes: [workspaceId]
      // The tables exist when the first line has come.
      skipQueryValidation: true
      evaluationFrequency: 'PT15M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [
          {
            query: 'AppTraces | where Message has_any (dynamic(${string(alert.says)}))'
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      actions: { actionGroups: empty(email) ? [] : [people.id] }
    }
  }
]

resource onErrors 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'alert-server-errors'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'server-errors'
    description: 'More than one in a hundred requests was answered with a 5xx.'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    skipQueryValidation: true
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      allOf: [
        {
          query: serverErrors
          timeAggregation: 'Maximum'
          metricMeasureColumn: 'percent'
          operator: 'GreaterThan'
          threshold: 1
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: empty(email) ? [] : [people.id] }
  }
}

// A few are met by waiting; many mean that the throughput is too small or one partition too hot.
resource onThrottling 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-store-throttled'
  location: 'global'
  tags: tags
  properties: {
    description: 'Cosmos DB refused more than a hundred requests in five minutes (429).'
    severity: 2
    enabled: true
    scopes: [cosmosId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'throttled'
          metricNamespace: 'Microsoft.DocumentDB/databaseAccounts'
          metricName: 'TotalRequests'
          dimensions: [
            { name: 'StatusCode', operator: 'Include', values: ['429'] }
          ]
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 100
        }
      ]
    }
    autoMitigate: true
    actions: empty(email) ? [] : [{ actionGroupId: people.id }]
  }
}

// A subscriber has refused an event for a day. It lies in the container `dead-letters`.
resource onDeadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'An event could not be delivered to a function for a day. Look into the container dead-letters.'
    severity: 1
    enabled: true
    scopes: [topicId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead letters'
          metricNamespace: 'Microsoft.EventGrid/topics'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    autoMitigate: true
    actions: empty(email) ? [] : [{ actionGroupId: people.id }]
  }
}
