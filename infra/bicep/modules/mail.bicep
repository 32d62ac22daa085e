// Mail to customers and staff: Azure Communication Services, with an address of a domain that Azure manages. Keys are switched off;
// the shop signs in as its identity. For a domain of your own see infra/README.md.

@description('Name of the resources.')
param name string

@description('Tags of the resources.')
param tags object

@description('Where data is kept, which must be the same for both resources: Europe, United States, ….')
param dataLocation string

@description('Id of a domain of your own that mails come from; empty for the one that Azure manages.')
param domainId string

@description('Address that mails come from; empty for the one of the domain that Azure manages.')
param sender string

resource service 'Microsoft.Communication/emailServices@2025-09-01' = {
  name: '${name}-mail'
  location: 'global'
  tags: tags
  properties: { dataLocation: dataLocation }
}

resource domain 'Microsoft.Communication/emailServices/domains@2025-09-01' = {
  parent: service
  name: 'AzureManagedDomain'
  location: 'global'
  tags: tags
  properties: {
    domainManagement: 'AzureManaged'
    userEngagementTracking: 'Disabled'
  }
}

resource communication 'Microsoft.Communication/communicationServices@2025-09-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    linkedDomains: empty(domainId) ? [domain.id] : [domainId]
    disableLocalAuth: true
  }
}

output name string = communication.name
output endpoint string = 'https://${communication.properties.hostName}'
output from string = empty(sender) ? 'DoNotReply@${domain.properties.mailFromSenderDomain}' : sender
