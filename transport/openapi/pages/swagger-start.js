// The page's own path tells where the server stands: behind a proxy under a path, requests must go there too.
const base = new URL(".", location.href).pathname.replace(/(\/api\/v1)?\/$/, "");

function placeUnderBase(spec) {
  if (!base || spec.servers?.[0]?.url !== "/") return spec;
  const { password } = spec.components.securitySchemes.oauth2.flows;
  for (const name of ["tokenUrl", "refreshUrl"]) password[name] = base + password[name];
  return { ...spec, servers: [{ url: base }] };
}

// No validator badge: it would be asked of somebody else's server. The token stays in this page alone.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  tryItOutEnabled: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  plugins: [
    { statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (spec) => update(placeUnderBase(spec)) } } } },
  ],
});
