// Key Vault, for secrets that no identity can replace. The shop has none today: every party to whom it speaks knows its identity.

@description('Name of the vault.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Whether the vault can be reached without a private endpoint.')
param publicNetwork bool

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    enablePurgeProtection: true
    publicNetworkAccess: publicNetwork ? 'Enabled' : 'Disabled'
  }
}

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
