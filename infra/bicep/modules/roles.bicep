// Who may do what: every role of the shop's identity, and those of a person who runs it.
// The ids are Azure's own and the same everywhere.

@description('Object id of the identity of the shop.')
param principalId string

@description('Object id of a person who may read and write the data; empty for nobody.')
param operatorId string

@description('Names of the storage accounts.')
param storageNames string[]

@description('Name of the Cosmos DB account.')
param cosmosName string

@description('Name of the Application Insights component.')
param insightsName string

@description('Name of the key vault.')
param vaultName string

@description('Name of the topic.')
param topicName string

@description('Name of the service that sends mails; empty for none.')
param mailName string

var roleIds = {
  // The host keeps its locks, its keys and the package in blobs; pictures are blobs, too.
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  // Triggers read, outputs write, and a queue that is missing is made.
  // To look at what could not be delivered.
  'Storage Blob Data Reader': '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fae8'
  // The host's diagnostic events.
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
  'EventGrid Data Sender': 'd5a91429-5739-47e2-a06b-3470a27159e7'
  // No smaller role of Azure's own sends mails.
  'Communication and Email Service Owner': '09976791-48a7-449e-bb21-39d1a415f350'
}
// Cosmos DB has roles of its own for data; this one reads and writes documents and makes no containers.
var cosmosDataContributor = '00000000-0000-0000-0000-000000000002'
var storageRoles = [
  roleIds['Storage Blob Data Owner']
  roleIds['Storage Queue Data Contributor']
  roleIds['Storage Table Data Contributor']
]

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = [
  for name in storageNames: {
    name: name
  }
]

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' existing = {
  name: cosmosName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
}

resource topic 'Microsoft.EventGrid/topics@2022-06-15' existing = {
  name: topicName
}

resource mail 'Microsoft.Communication/communicationServices@2025-09-01' existing = if (!empty(mailName)) {
  name: mailName
}

// Every role on every account: the accounts one after the other, each with all the roles.
resource onStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for i in range(0, length(storageNames) * length(storageRoles)): {
    scope: storage[i / length(storageRoles)]
    name: guid(resourceGroup().id, storageNames[i / length(storageRoles)], principalId, storageRoles[i % length(storageRoles)])
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        storageRoles[i % length(storageRoles)]
      )
    }
  }
]

resource onInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, principalId, roleIds['Monitoring Metrics Publisher'])
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds['Monitoring Metrics Publisher']
    )
  }
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

resource onMail 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(mailName)) {
  scope: mail
  name: guid(mail.id, principalId, roleIds['Communication and Email Service Owner'])
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds['Communication and Email Service Owner']
    )
  }
}

resource onVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principalId, roleIds['Key Vault Secrets User'])
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds['Key Vault Secrets User']
    )
  }
}

resource onCosmos 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, principalId, cosmosDataContributor)
  properties: {
    principalId: principalId
    roleDefinitionId: '${cosmos.id}/sqlRoleDefinitions/${cosmosDataContributor}'
    scope: cosmos.id
  }
}

resource operatorOnCosmos 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = if (!empty(operatorId)) {
  parent: cosmos
  name: guid(cosmos.id, operatorId, cosmosDataContributor)
  properties: {
    principalId: operatorId
    roleDefinitionId: '${cosmos.id}/sqlRoleDefinitions/${cosmosDataContributor}'
    scope: cosmos.id
  }
}

// To look at dead letters, and to send them again.
resource operatorOnBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in storageNames: if (!empty(operatorId)) {
    scope: storage[i]
    name: guid(resourceGroup().id, name, operatorId, roleIds['Storage Blob Data Reader'])
    properties: {
      principalId: operatorId
      principalType: 'User'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds['Storage Blob Data Reader']
      )
    }
  }
]

resource operatorOnTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorId)) {
  scope: topic
  name: guid(topic.id, operatorId, roleIds['EventGrid Data Sender'])
  properties: {
    principalId: operatorId
    principalType: 'User'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds['EventGrid Data Sender']
    )
  }
}

// To look into the queue of what was rejected.
resource operatorOnStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in storageNames: if (!empty(operatorId)) {
    scope: storage[i]
    name: guid(resourceGroup().id, name, operatorId, roleIds['Storage Queue Data Contributor'])
    properties: {
      principalId: operatorId
      principalType: 'User'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds['Storage Queue Data Contributor']
      )
    }
  }
]
