// The topic for what happened in the shop, and who hears it. The shop does not publish yet, so nobody subscribes by default;
// a subscription names a function that is deployed already.

@description('Name of the topic.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Id of the function app whose functions hear the events.')
param functionAppId string

@description('Who hears what: name, functionName and eventTypes.')
param subscriptions array

resource topic 'Microsoft.EventGrid/topics@2022-06-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
  }
}

resource heard 'Microsoft.EventGrid/topics/eventSubscriptions@2022-06-15' = [
  for hearer in subscriptions: {
    parent: topic
    name: hearer.name
    properties: {
      eventDeliverySchema: 'CloudEventSchemaV1_0'
      destination: {
        endpointType: 'AzureFunction'
        properties: {
          resourceId: '${functionAppId}/functions/${hearer.functionName}'
          maxEventsPerBatch: 1
        }
      }
      filter: { includedEventTypes: hearer.eventTypes }
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    }
  }
]

output name string = topic.name
