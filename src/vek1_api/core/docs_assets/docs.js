"use strict";

// Swagger UI has a dark scheme; we follow the system's.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// Each field of the dialog takes the focus, so the last one has it; the first one shall.
document.addEventListener("click", (event) => {
  if (event.target.closest(".auth-wrapper > .authorize, .authorization__btn")) {
    setTimeout(() => document.querySelector(".modal-ux-content input")?.focus());
  }
});

// Swagger UI invents values for the fields of a form, an unknown product's id for example.
const leaveOptionalFieldsEmpty = (spec) => {
  for (const operation of Object.values(spec.paths ?? {}).flatMap(Object.values)) {
    const form = operation.requestBody?.content?.["multipart/form-data"]?.schema;
    const schema = spec.components.schemas[form?.$ref?.split("/").pop()];
    for (const [name, field] of Object.entries(schema?.properties ?? {})) {
      if (!schema.required?.includes(name)) {
        field.examples ??= [field.type === "object" ? {} : ""];
      }
    }
  }
  return spec;
};

// ... sends those that are left empty, and lists and objects as if they were files.
const asForm = async (request) => {
  if (request.body instanceof FormData) {
    for (const [name, value] of [...request.body]) {
      if (value === "") request.body.delete(name);
      if (value.name === "blob") request.body.set(name, await value.text());
    }
  }
  return request;
};

SwaggerUIBundle({
  dom_id: "#docs",
  url: new URL("openapi.json", document.baseURI).href,
  validatorUrl: null, // It would send the document to swagger.io.
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 3,
  filter: true,
  requestInterceptor: asForm,
  plugins: [
    {
      statePlugins: {
        spec: {
          wrapActions: {
            updateJsonSpec: (update) => (spec) => update(leaveOptionalFieldsEmpty(spec)),
          },
        },
      },
    },
  ],
});
