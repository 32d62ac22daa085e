// The topic for what happened in the shop. Who hears it is in subscriptions.bicep, because that waits for the functions, and the
// function app waits for the topic's address.

@description('Name of the topic.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Id of the identity of the shop, as which the topic keeps what could not be delivered.')
param identityId string

resource topic 'Microsoft.EventGrid/topics@2022-06-15' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
  }
}

output id string = topic.id
output name string = topic.name
output endpoint string = topic.properties.endpoint
