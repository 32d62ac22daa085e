// For customers: always on, over zones and two regions, behind Front Door.
using 'main.bicep'

param environmentName = 'prod'
param location = readEnvironmentVariable('AZURE_LOCATION', 'northeurope')
param authIssuers = readEnvironmentVariable('AUTH_ISSUERS')
param staffEmail = readEnvironmentVariable('STAFF_MAIL', '')
// Once the package has been deployed.
param subscribeFunctions = readEnvironmentVariable('SUBSCRIBE_FUNCTIONS', 'false') == 'true'
param alertEmail = readEnvironmentVariable('ALERT_EMAIL')
param instanceMemoryMB = 2048
param maximumInstanceCount = 200
// Zones need two of each.
param alwaysReadyHttp = 2
param alwaysReadyOrders = 2
param cosmosSharedThroughput = 1000
param cosmosDedicatedThroughput = {
  orders: 4000
  products: 4000
  stock: 4000
}
param secondRegion = 'swedencentral'
param zoneRedundant = true
param frontDoor = true
param logRetentionDays = 90
