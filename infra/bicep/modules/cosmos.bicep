// Cosmos DB: the account, its database, and every container as src/store/containers.rs declares it. A test holds both equal:
// a partition key cannot be changed afterwards, and what is not indexed cannot be asked for.

@description('Name of the account.')
param name string

@description('Regions, the first of which takes the writes.')
param regions string[]

@description('Tags of the resource.')
param tags object

@description('Keep replicas in availability zones.')
param zoneRedundant bool

@description('Autoscale maximum in RU/s that the containers share; 0 makes the account serverless.')
param sharedThroughput int

@description('Autoscale maximum in RU/s of containers that do not share, by name.')
param dedicatedThroughput object

@description('Whether the account can be reached without a private endpoint.')
param publicNetwork bool

var isServerless = sharedThroughput == 0
var databaseName = 'widgetco'
// `orderedBy` is an index each, all of it descending. Without a `defaultTtl` no document can expire; -1 lets single ones.
var containers = [
  {
    name: 'products'
    partitionKey: '/id'
    defaultTtl: -1
    indexed: [
      '/type/?'
      '/isDeleted/?'
      '/status/?'
      '/sortName/?'
      '/createdAt/?'
      '/categoryIds/[]/?'
      '/collectionIds/[]/?'
      '/price/amountMinor/?'
      '/price/currency/?'
    ]
    orderedBy: [
      ['/sortName', '/id']
      ['/price/amountMinor', '/id']
      ['/createdAt', '/id']
    ]
  }
  {
    name: 'collections'
    partitionKey: '/id'
    defaultTtl: -1
    indexed: [
      '/type/?'
    ]
    orderedBy: []
  }
  {
    name: 'stock'
    partitionKey: '/productId'
    defaultTtl: -1
    indexed: [
      '/productId/?'
      '/type/?'
      '/state/?'
    ]
    orderedBy: []
  }
  {
    name: 'orders'
    partitionKey: '/partition'
    defaultTtl: -1
    indexed: [
      '/partition/?'
      '/type/?'
      '/customerId/?'
      '/orderId/?'
      '/placedAt/?'
      '/ringAt/?'
      '/leftAt/?'
    ]
    orderedBy: [
      ['/placedAt', '/id']
    ]
  }
  {
    name: 'customers'
    partitionKey: '/id'
    defaultTtl: -1
    indexed: [
      '/type/?'
      '/customerId/?'
    ]
    orderedBy: []
  }
  {
    name: 'reviews'
    partitionKey: '/productId'
    defaultTtl: -1
    indexed: [
      '/productId/?'
      '/customerId/?'
      '/isListed/?'
      '/content/rating/?'
      '/createdAt/?'
      '/rank/?'
      '/month/?'
      '/waitingRank/?'
      '/decidedRank/?'
    ]
    orderedBy: [
      ['/createdAt', '/id']
      ['/rank', '/id']
    ]
  }
  {
    name: 'partners'
    partitionKey: '/id'
    defaultTtl: null
    indexed: ['/type/?']
    orderedBy: []
  }
  {
    name: 'disclosures'
    partitionKey: '/partnerId'
    defaultTtl: null
    indexed: [
      '/partnerId/?'
      '/sequence/?'
      '/at/?'
      '/customerIds/[]/?'
    ]
    orderedBy: [
      ['/at', '/id']
    ]
  }
  {
    name: 'notifications'
    partitionKey: '/subjectId'
    defaultTtl: -1
    indexed: []
    orderedBy: []
  }
  {
    name: 'webhooks'
    partitionKey: '/webhookId'
    defaultTtl: -1
    indexed: [
      '/webhookId/?'
      '/type/?'
      '/createdAt/?'
      '/nextAttemptAt/?'
    ]
    orderedBy: [
      ['/createdAt', '/id']
    ]
  }
  {
    name: 'leases'
    partitionKey: '/id'
    defaultTtl: null
    indexed: []
    orderedBy: []
  }
]

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' = {
  name: name
  location: regions[0]
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: isServerless ? [{ name: 'EnableServerless' }] : []
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    enableAutomaticFailover: length(regions) > 1
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: publicNetwork ? 'Enabled' : 'Disabled'
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
    locations: [
      for (region, i) in regions: {
        locationName: region
        failoverPriority: i
        isZoneRedundant: zoneRedundant
      }
    ]
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2024-11-15' = {
  parent: account
  name: databaseName
  properties: {
    resource: { id: databaseName }
    options: isServerless ? {} : { autoscaleSettings: { maxThroughput: sharedThroughput } }
  }
}

resource databaseContainers 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = [
  for container in containers: {
    parent: database
    name: container.name
    properties: {
      resource: {
        id: container.name
        partitionKey: { paths: [container.partitionKey], kind: 'Hash', version: 2 }
        defaultTtl: container.defaultTtl
        indexingPolicy: {
          indexingMode: 'consistent'
          automatic: true
          includedPaths: map(container.indexed, path => { path: path })
          excludedPaths: [{ path: '/*' }]
          compositeIndexes: map(container.orderedBy, paths => map(paths, path => { path: path, order: 'descending' }))
        }
      }
      options: contains(dedicatedThroughput, container.name) && !isServerless
        ? { autoscaleSettings: { maxThroughput: dedicatedThroughput[container.name] } }
        : {}
    }
  }
]

output id string = account.id
output name string = account.name
output endpoint string = account.properties.documentEndpoint
output database string = database.name
