// Who hears what of the topic: every function with an `eventGridTrigger`, by the types that it cares for; a test holds both equal.
// What is refused for a day lies in the container `dead-letters` afterwards. Azure asks whether the functions exist, so this comes
// after the first deployment of the package.

@description('Name of the topic.')
param topicName string

@description('Id of the function app whose functions hear the events.')
param functionAppId string

@description('Id of the identity of the shop, as which the topic keeps what could not be delivered.')
param identityId string

@description('Id of the storage account that keeps it; empty when the topic cannot reach one.')
param storageId string

// A type is `WidgetCo.` and a kind. StartOrder hears of orders that were placed elsewhere, whatever stands before.
var hearers = [
  { functionName: 'DispatchWebhooks', endsWith: [] }
  { functionName: 'NotifyCustomer', endsWith: ['OrderConfirmed', 'OrderFailed', 'OrderShipped', 'OrderCancelled'] }
  { functionName: 'StartOrder', endsWith: ['OrderPlaced'] }
  { functionName: 'UpdateInventory', endsWith: ['ProductCreated', 'ProductUpdated'] }
  { functionName: 'WarnLowStock', endsWith: ['StockLow'] }
]

resource topic 'Microsoft.EventGrid/topics@2022-06-15' existing = {
  name: topicName
}

resource heard 'Microsoft.EventGrid/topics/eventSubscriptions@2022-06-15' = [
  for hearer in hearers: {
    parent: topic
    name: hearer.functionName
    properties: {
      eventDeliverySchema: 'CloudEventSchemaV1_0'
      destination: {
        endpointType: 'AzureFunction'
        properties: {
          resourceId: '${functionAppId}/functions/${hearer.functionName}'
          maxEventsPerBatch: 1
        }
      }
      filter: {
        advancedFilters: empty(hearer.endsWith)
          ? []
          : [{ operatorType: 'StringEndsWith', key: 'type', values: hearer.endsWith }]
      }
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
      deadLetterWithResourceIdentity: empty(storageId) ? null : {
        identity: { type: 'UserAssigned', userAssignedIdentity: identityId }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: { resourceId: storageId, blobContainerName: 'dead-letters' }
        }
      }
    }
  }
]
