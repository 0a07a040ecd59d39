// Nothing is asked of anybody else: no fonts, no proxy, no telemetry, no agent.
Scalar.createApiReference("#scalar", {
  url: "openapi.json",
  withDefaultFonts: false,
  telemetry: false,
  proxyUrl: "",
  showDeveloperTools: "never",
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
});
