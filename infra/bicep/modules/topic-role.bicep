// The right to publish on the topic. Apart from the other roles, because the topic waits for the app and the app for those.

@description('Object id of the identity of the shop.')
param principalId string

@description('Name of the topic.')
param topicName string

var roleIds = {
  'EventGrid Data Sender': 'd5a91429-5639-480a-98a8-c4eb9d3b3b9e'
}

resource topic 'Microsoft.EventGrid/topics@2022-06-15' existing = {
  name: topicName
}

resource onTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: topic
  name: guid(topic.id, principalId, roleIds['EventGrid Data Sender'])
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds['EventGrid Data Sender']
    )
  }
}
