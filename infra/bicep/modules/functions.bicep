// The function app: a custom handler on Flex Consumption, which reads its package, its queues and everything else as the
// shop's identity. The settings are those of src/config.rs and of the host; a test holds their names equal.

@description('Name of the app, which is also the first part of its address.')
@maxLength(32)
param name string

@description('Azure region.')
param location string

@description('Tags of the app.')
param tags object

@description('Id of the identity of the shop.')
param identityId string

@description('Client id of the identity of the shop.')
param identityClientId string

@description('Name of the storage account of this region: the host and the queues.')
param storageName string

@description('Address of the container that the package is deployed to.')
param deploymentUrl string

@description('Address of the container of pictures.')
param imagesUrl string

@description('Address from which anybody can read pictures; empty when the handler passes them on.')
param imagesPublicUrl string

@description('Address of the Cosmos DB account.')
param cosmosEndpoint string

@description('Name of the database.')
param cosmosDatabase string

@description('Address of the topic that the shop announces on.')
param topicEndpoint string

@description('Address of the service that sends mails; empty for none.')
param mailEndpoint string

@description('Address that mails come from.')
param mailSender string

@description('Address that is told when stock is low; empty for nobody.')
param staffEmail string

@description('Where telemetry goes. It opens nothing: the place takes telemetry from identities alone.')
param insightsConnection string

@description('Address of the key vault.')
param vaultUri string

@description('Settings whose values are secrets in the vault: the name of the setting, and that of its secret.')
param secretSettings { *: string }

@description('Whose tokens are believed, as JSON.')
param authIssuers string

@description('How often one signed-in caller may call one instance in a minute.')
param requestsPerMinute int

@description('Origins of pages that may call the API from a browser.')
param allowedOrigins string[]

@description('Memory of an instance, in MB.')
param instanceMemoryMB int

@description('Most instances of one group.')
param maximumInstanceCount int

@description('HTTP requests that one instance works on at once.')
param httpConcurrency int

@description('Instances for HTTP that are always on.')
param alwaysReadyHttp int

@description('Instances for the queue of orders that are always on.')
param alwaysReadyOrders int

@description('Spread instances over availability zones.')
param zoneRedundant bool

@description('Id of the subnet from which the app reaches private endpoints; empty for none.')
param subnetId string

// COSMOS_REGION is left to REGION_NAME, which Azure sets. What is empty counts as not set.
var settings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  AUTH_ISSUERS: authIssuers
  AZURE_CLIENT_ID: identityClientId
  // Alerts count lines of the log, so none is left out under load.
  AzureFunctionsJobHost__logging__applicationInsights__samplingSettings__excludedTypes: 'Request;Trace'
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
  // The host reads the change feed and sends the events, as the shop's identity, too.
  COSMOS__accountEndpoint: cosmosEndpoint
  COSMOS__clientId: identityClientId
  COSMOS__credential: 'managedidentity'
  COSMOS_DATABASE: cosmosDatabase
  COSMOS_ENDPOINT: cosmosEndpoint
  EVENTS__clientId: identityClientId
  EVENTS__credential: 'managedidentity'
  EVENTS__topicEndpointUri: topicEndpoint
  IMAGES_PUBLIC_URL: imagesPublicUrl
  IMAGES_STORE: imagesUrl
  MAIL: mailEndpoint
  MAIL_FROM: mailSender
  REQUESTS_PER_MINUTE: string(requestsPerMinute)
  STAFF_MAIL: staffEmail
}
var secrets = mapValues(secretSettings, secret => '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${secret})')
var alwaysReady = [
  { name: 'http', instanceCount: alwaysReadyHttp }
  { name: 'function:ProcessOrder', instanceCount: alwaysReadyOrders }
]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${name}'
  location: location
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      runtime: { name: 'custom', version: '1.0' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: filter(alwaysReady, group => group.instanceCount > 0)
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      cors: { allowedOrigins: allowedOrigins, supportCredentials: false }
      appSettings: map(items(union(settings, secrets)), setting => { name: setting.key, value: setting.value })
    }
  }

  // Deploying is for identities, too: no user names and passwords.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output id string = app.id
output host string = app.properties.defaultHostName
