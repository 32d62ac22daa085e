// Where logs are kept and asked: the Log Analytics workspace below Application Insights.

@description('Name of the workspace.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Days that logs are kept.')
param retentionDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true }
  }
}

output id string = workspace.id
