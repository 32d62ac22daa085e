// A storage account: the app's package, the host's own blobs, the queues, and in the first region the pictures and the store
// front. There are no keys: shared key access is off.

@description('Name of the account.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Keep copies in three availability zones.')
param zoneRedundant bool

@description('Keep copies in the paired region, which can be read there.')
param geoRedundant bool

@description('Whether the account can be reached without a private endpoint.')
param publicNetwork bool

@description('Whether anybody may read pictures and store front at their addresses, as Front Door does.')
param publicPictures bool

// What nobody reads by an address of its own stays private, whatever the parameter says.
var containers = [
  { name: 'deployments', isPublic: false }
  { name: 'dead-letters', isPublic: false }
  { name: 'images', isPublic: publicPictures }
  { name: 'storefront', isPublic: publicPictures }
]
var queues = [
  'events-rejected'
  'orders'
  'orders-poison'
  'orders-rejected'
  'webhooks'
]
var zonesSku = geoRedundant ? 'Standard_RAGZRS' : 'Standard_ZRS'
var oneZoneSku = geoRedundant ? 'Standard_RAGRS' : 'Standard_LRS'

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? zonesSku : oneZoneSku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: publicPictures
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: publicNetwork ? 'Enabled' : 'Disabled'
    supportsHttpsTrafficOnly: true
    networkAcls: { defaultAction: publicNetwork ? 'Allow' : 'Deny', bypass: 'None' }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [
  for container in containers: {
    parent: blobs
    name: container.name
    properties: { publicAccess: container.isPublic ? 'Blob' : 'None' }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource storageQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

output id string = account.id
output name string = account.name
output blobHost string = '${account.name}.blob.${environment().suffixes.storage}'
output deploymentUrl string = '${account.properties.primaryEndpoints.blob}deployments'
output imagesUrl string = '${account.properties.primaryEndpoints.blob}images'
