// The dashboard: an Azure Monitor workbook over the logs. What it shows is in dashboard.json.

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Id of the Log Analytics workspace.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'dashboard')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Widget & Co shop'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('dashboard.json')
  }
}

output id string = workbook.id
