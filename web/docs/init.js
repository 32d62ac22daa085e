// Shows what stands in openapi.json beside this page, in the order in which it stands there. Nothing else is asked: no
// validator, no fonts.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
