// Application Insights: what the host measures and what the handler says. It takes telemetry from identities alone, so its
// connection string names a place and opens nothing.

@description('Name of the component.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Id of the Log Analytics workspace.')
param workspaceId string

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceId
    DisableLocalAuth: true
  }
}

output name string = insights.name
output connection string = insights.properties.ConnectionString
