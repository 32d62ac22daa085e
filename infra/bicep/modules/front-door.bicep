// Azure Front Door: one address for the API in every region, with pictures and store front from its caches. Without public
// pictures it has the API alone, which passes pictures on.

@description('Name of the profile and of its endpoint.')
param name string

@description('Tags of the resource.')
param tags object

@description('Hosts of the function apps, the first of which is asked while it answers.')
param apiHosts string[]

@description('Host of the blobs with pictures and store front; empty when nobody may read them.')
param blobHost string

var hasBlobs = !empty(blobHost)
// Whatever the query says, a picture is the same; a store front's file is, too.
var cache = {
  queryStringCachingBehavior: 'IgnoreQueryString'
  compressionSettings: {
    isCompressionEnabled: true
    contentTypesToCompress: ['text/html', 'text/css', 'text/javascript', 'application/json', 'image/svg+xml']
  }
}

resource profile 'Microsoft.Cdn/profiles@2024-02-01' = {
  name: name
  location: 'global'
  tags: tags
  sku: { name: 'Standard_AzureFrontDoor' }
  properties: { originResponseTimeoutSeconds: 60 }
}

resource endpoint 'Microsoft.Cdn/profiles/afdEndpoints@2024-02-01' = {
  parent: profile
  name: name
  location: 'global'
  properties: { enabledState: 'Enabled' }
}

resource api 'Microsoft.Cdn/profiles/originGroups@2024-02-01' = {
  parent: profile
  name: 'api'
  properties: {
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3, additionalLatencyInMilliseconds: 50 }
    // Every place of Front Door asks by itself, which is worth it when there is a choice.
    healthProbeSettings: length(apiHosts) > 1
      ? {
          probePath: '/api/heartbeat'
          probeProtocol: 'Https'
          probeRequestType: 'GET'
          probeIntervalInSeconds: 120
        }
      : null
  }
}

resource apiOrigins 'Microsoft.Cdn/profiles/originGroups/origins@2024-02-01' = [
  for (host, i) in apiHosts: {
    parent: api
    name: 'api-${i}'
    properties: {
      hostName: host
      originHostHeader: host
      priority: i + 1
      weight: 1000
      enforceCertificateNameCheck: true
    }
  }
]

resource blobs 'Microsoft.Cdn/profiles/originGroups@2024-02-01' = if (hasBlobs) {
  parent: profile
  name: 'blobs'
  properties: {
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3 }
  }
}

resource blobOrigin 'Microsoft.Cdn/profiles/originGroups/origins@2024-02-01' = if (hasBlobs) {
  parent: blobs
  name: 'blobs'
  properties: {
    hostName: blobHost
    originHostHeader: blobHost
    priority: 1
    weight: 1000
    enforceCertificateNameCheck: true
  }
}

// Nothing of the API is kept: without `cacheConfiguration` Front Door asks anew each time.
resource apiRoute 'Microsoft.Cdn/profiles/afdEndpoints/routes@2024-02-01' = {
  parent: endpoint
  name: 'api'
  dependsOn: [apiOrigins]
  properties: {
    originGroup: { id: api.id }
    patternsToMatch: ['/api/*']
    supportedProtocols: ['Http', 'Https']
    forwardingProtocol: 'HttpsOnly'
    httpsRedirect: 'Enabled'
    linkToDefaultDomain: 'Enabled'
  }
}

resource imagesRoute 'Microsoft.Cdn/profiles/afdEndpoints/routes@2024-02-01' = if (hasBlobs) {
  parent: endpoint
  name: 'images'
  dependsOn: [blobOrigin]
  properties: {
    originGroup: { id: blobs.id }
    patternsToMatch: ['/images/*']
    supportedProtocols: ['Http', 'Https']
    forwardingProtocol: 'HttpsOnly'
    httpsRedirect: 'Enabled'
    linkToDefaultDomain: 'Enabled'
    cacheConfiguration: cache
  }
}

// A container has no page of its own at `/`.
resource pages 'Microsoft.Cdn/profiles/ruleSets@2024-02-01' = if (hasBlobs) {
  parent: profile
  name: 'pages'
}

resource firstPage 'Microsoft.Cdn/profiles/ruleSets/rules@2024-02-01' = if (hasBlobs) {
  parent: pages
  name: 'first'
  properties: {
    order: 1
    conditions: [
      {
        name: 'UrlPath'
        parameters: {
          typeName: 'DeliveryRuleUrlPathMatchConditionParameters'
          operator: 'Equal'
          matchValues: ['/']
        }
      }
    ]
    actions: [
      {
        name: 'UrlRewrite'
        parameters: {
          typeName: 'DeliveryRuleUrlRewriteActionParameters'
          sourcePattern: '/'
          destination: '/index.html'
          preserveUnmatchedPath: false
        }
      }
    ]
  }
}

resource storefrontRoute 'Microsoft.Cdn/profiles/afdEndpoints/routes@2024-02-01' = if (hasBlobs) {
  parent: endpoint
  name: 'storefront'
  dependsOn: [blobOrigin, firstPage]
  properties: {
    originGroup: { id: blobs.id }
    originPath: '/storefront'
    ruleSets: [{ id: pages.id }]
    patternsToMatch: ['/*']
    supportedProtocols: ['Http', 'Https']
    forwardingProtocol: 'HttpsOnly'
    httpsRedirect: 'Enabled'
    linkToDefaultDomain: 'Enabled'
    cacheConfiguration: cache
  }
}

output host string = endpoint.properties.hostName
