// The shop in Azure: one resource group, one module per resource. Each module says what it is for; the names of containers,
// queues and settings are those of the code, and tests/it/infra.rs holds them equal. ../README.md tells how to deploy.
targetScope = 'subscription'

@description('Name of this environment, such as dev or prod; part of the names of what is made.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Azure region; Flex Consumption and, for zone redundancy, availability zones must exist there.')
param location string

@description('Whose tokens are believed: the setting AUTH_ISSUERS, as JSON. Required.')
@minLength(2)
param authIssuers string

@description('Origins of pages that may call the API from a browser.')
param allowedOrigins string[] = []

@description('How often one signed-in caller may call one instance in a minute.')
@minValue(1)
@maxValue(1000000)
param requestsPerMinute int = 600

@description('Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('Most instances of one group: all HTTP functions are one, each other function another.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('HTTP requests that one instance works on at once.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 100

@description('Instances for HTTP that are always on; 0 starts them on demand.')
@minValue(0)
param alwaysReadyHttp int = 0

@description('Instances for the queue of orders that are always on; 0 starts them on demand.')
@minValue(0)
param alwaysReadyOrders int = 0

@description('Autoscale maximum in RU/s that the containers share; 0 makes the account serverless, which has one region only.')
param cosmosSharedThroughput int = 0

@description('Autoscale maximum in RU/s of containers that do not share, by name.')
param cosmosDedicatedThroughput object = {}

@description('Second region: a replica of Cosmos DB that takes over by itself, and a second function app. Empty for none.')
param secondRegion string = ''

@description('Spread Cosmos DB, storage and instances over availability zones.')
param zoneRedundant bool = false

@description('Reach Cosmos DB, storage and Key Vault by private endpoints only. For one region.')
param privateEndpoints bool = false

@description('Put Azure Front Door before the API, the pictures and the store front.')
param frontDoor bool = false

@description('Settings whose values are secrets in Key Vault: the name of the setting, and that of its secret.')
param secretSettings { *: string } = {}

@description('Whether functions hear the events of the shop: they must have been deployed before.')
param subscribeFunctions bool = false

@description('Whether the shop sends mails to customers and staff.')
param sendMail bool = true

@description('Where the service that sends mails keeps its data.')
param mailDataLocation string = 'Europe'

@description('Id of a domain of your own that mails come from; empty for the one that Azure manages.')
param mailDomainId string = ''

@description('Address that mails come from; empty for the one of the domain that Azure manages.')
param mailFrom string = ''

@description('Address that is told when stock is low; empty for nobody.')
param staffEmail string = ''

@description('Address that alerts are sent to; empty for none.')
param alertEmail string = ''

@description('Object id of a person who may read and write the data, such as to seed it; empty for nobody.')
param operatorId string = ''

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

// The endpoints' names in private DNS exist once, so a network per region needs more than this makes.
var isPrivate = privateEndpoints && !empty(secondRegion)
  ? fail('privateEndpoints and secondRegion are not for one deployment: see infra/README.md')
  : privateEndpoints
var regions = empty(secondRegion) ? [location] : [location, secondRegion]
var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }
var storageNames = map(range(0, length(regions)), i => 'st${token}${i}')
var appNames = map(range(0, length(regions)), i => 'widgetco-${environmentName}-${take(token, 6)}-${i}')
// Pictures lie in the first region. With private endpoints nobody but the handler reaches them, and it passes them on.
var picturesArePublic = frontDoor && !isPrivate

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-widgetco-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: 'id-${token}', location: location, tags: tags }
}

module logs 'modules/logs.bicep' = {
  scope: group
  params: { name: 'log-${token}', location: location, tags: tags, retentionDays: logRetentionDays }
}

module insights 'modules/insights.bicep' = {
  scope: group
  params: { name: 'appi-${token}', location: location, tags: tags, workspaceId: logs.outputs.id }
}

module storage 'modules/storage.bicep' = [
  for (region, i) in regions: {
    scope: group
    params: {
      name: storageNames[i]
      location: region
      tags: tags
      zoneRedundant: zoneRedundant
      geoRedundant: !empty(secondRegion)
      publicNetwork: !isPrivate
      publicPictures: picturesArePublic && i == 0
    }
  }
]

module cosmos 'modules/cosmos.bicep' = {
  scope: group
  params: {
    name: 'cosmos-${token}'
    regions: regions
    tags: tags
    zoneRedundant: zoneRedundant
    sharedThroughput: cosmosSharedThroughput
    dedicatedThroughput: cosmosDedicatedThroughput
    publicNetwork: !isPrivate
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: { name: 'kv-${token}', location: location, tags: tags, publicNetwork: !isPrivate }
}

module network 'modules/network.bicep' = if (isPrivate) {
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    storageId: storage[0].outputs.id
    cosmosId: cosmos.outputs.id
    vaultId: vault.outputs.id
  }
}

module door 'modules/front-door.bicep' = if (frontDoor) {
  scope: group
  params: {
    name: 'afd-${token}'
    tags: tags
    apiHosts: map(appNames, name => '${name}.azurewebsites.net')
    blobHost: picturesArePublic ? storage[0].outputs.blobHost : ''
  }
}

module events 'modules/events.bicep' = {
  scope: group
  params: {
    name: 'evgt-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
  }
}

module subscriptions 'modules/subscriptions.bicep' = if (subscribeFunctions) {
  scope: group
  // The topic looks whether it may write to where dead letters lie.
  dependsOn: [roles]
  params: {
    topicName: events.outputs.name
    functionAppId: functions[0].outputs.id
    identityId: identity.outputs.id
    // Event Grid passes no firewall of a storage account as this identity.
    storageId: !isPrivate ? storage[0].outputs.id : ''
  }
}

module mail 'modules/mail.bicep' = if (sendMail) {
  scope: group
  params: {
    name: 'acs-${token}'
    tags: tags
    dataLocation: mailDataLocation
    domainId: mailDomainId
    sender: mailFrom
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  dependsOn: [storage]
  params: {
    principalId: identity.outputs.principalId
    operatorId: operatorId
    storageNames: storageNames
    cosmosName: cosmos.outputs.name
    insightsName: insights.outputs.name
    vaultName: vault.outputs.name
    topicName: events.outputs.name
    mailName: sendMail ? mail!.outputs.name : ''
  }
}

module functions 'modules/functions.bicep' = [
  for (region, i) in regions: {
    scope: group
    // An app that starts before it may read its own storage does not start.
    dependsOn: [roles]
    params: {
      name: appNames[i]
      location: region
      // azd deploys to what has its tag, and wants exactly one.
      tags: i == 0 ? union(tags, { 'azd-service-name': 'api' }) : tags
      identityId: identity.outputs.id
      identityClientId: identity.outputs.clientId
      storageName: storage[i].outputs.name
      deploymentUrl: storage[i].outputs.deploymentUrl
      imagesUrl: storage[0].outputs.imagesUrl
      imagesPublicUrl: picturesArePublic ? 'https://${door!.outputs.host}/images' : ''
      cosmosEndpoint: cosmos.outputs.endpoint
      cosmosDatabase: cosmos.outputs.database
      topicEndpoint: events.outputs.endpoint
      mailEndpoint: sendMail ? mail!.outputs.endpoint : ''
      mailSender: sendMail ? mail!.outputs.from : ''
      staffEmail: staffEmail
      insightsConnection: insights.outputs.connection
      vaultUri: vault.outputs.uri
      secretSettings: secretSettings
      authIssuers: authIssuers
      requestsPerMinute: requestsPerMinute
      allowedOrigins: allowedOrigins
      instanceMemoryMB: instanceMemoryMB
      maximumInstanceCount: maximumInstanceCount
      httpConcurrency: httpConcurrency
      alwaysReadyHttp: alwaysReadyHttp
      alwaysReadyOrders: alwaysReadyOrders
      zoneRedundant: zoneRedundant
      subnetId: isPrivate ? network!.outputs.functionsSubnetId : ''
    }
  }
]

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: logs.outputs.id
    cosmosId: cosmos.outputs.id
    topicId: events.outputs.id
    email: alertEmail
  }
}

module dashboard 'modules/dashboard.bicep' = {
  scope: group
  params: { location: location, tags: tags, workspaceId: logs.outputs.id }
}

output AZURE_RESOURCE_GROUP string = group.name
output API_HOSTS string[] = [for i in range(0, length(regions)): functions[i].outputs.host]
output FRONT_DOOR_HOST string = frontDoor ? door!.outputs.host : ''
output COSMOS_ENDPOINT string = cosmos.outputs.endpoint
