// To try the shop out: nothing that costs while nobody calls. What is not said here has the default of main.bicep.
using 'main.bicep'

param environmentName = 'dev'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param authIssuers = readEnvironmentVariable('AUTH_ISSUERS')
param staffEmail = readEnvironmentVariable('STAFF_MAIL', '')
// Once the package has been deployed.
param subscribeFunctions = readEnvironmentVariable('SUBSCRIBE_FUNCTIONS', 'false') == 'true'
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
// azd tells who deploys.
param operatorId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param allowedOrigins = ['http://localhost:5173']
