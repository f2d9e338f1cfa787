/** What is known of protocol.md 2.2 but not there yet: answered with 501 in place of a puzzling 404. */
export const unsupportedRoutes: readonly { readonly feature: string; readonly routes: readonly string[] }[] = [
  { feature: 'A commit', routes: ['POST /sandboxes/{id}/commit'] },
  { feature: 'More memory for a running sandbox', routes: ['POST /sandboxes/{id}/hotplug-memory'] },
  { feature: 'A volume mount', routes: ['POST /sandboxes/{id}/volume-mounts', 'DELETE /sandboxes/{id}/volume-mounts'] },
  {
    feature: 'The template build by a push of images, as older CLIs do it,',
    routes: ['POST /templates', 'POST /v2/templates', 'POST /templates/{id}/builds/{buildID}'],
  },
  {
    feature: 'The volume API',
    routes: ['GET /volumes', 'POST /volumes', 'GET /volumes/{id}', 'PATCH /volumes/{id}', 'DELETE /volumes/{id}'],
  },
  {
    feature: 'The content of volumes',
    routes: [
      'GET /volumecontent/{id}/path',
      'PATCH /volumecontent/{id}/path',
      'DELETE /volumecontent/{id}/path',
      'GET /volumecontent/{id}/dir',
      'POST /volumecontent/{id}/dir',
      'GET /volumecontent/{id}/file',
      'PUT /volumecontent/{id}/file',
    ],
  },
  {
    feature: 'The secret API',
    routes: ['GET /secrets', 'POST /secrets', 'GET /secrets/{id}', 'POST /secrets/{id}', 'PUT /secrets/{id}', 'DELETE /secrets/{id}'],
  },
  { feature: 'The team API', routes: ['GET /teams', 'GET /teams/{id}/metrics', 'GET /teams/{id}/metrics/max'] },
  {
    feature: 'The API for keys',
    routes: [
      'GET /api-keys',
      'POST /api-keys',
      'PATCH /api-keys/{id}',
      'DELETE /api-keys/{id}',
      'POST /access-tokens',
      'DELETE /access-tokens/{id}',
    ],
  },
  { feature: 'The node API', routes: ['GET /nodes', 'GET /nodes/{id}', 'POST /nodes/{id}'] },
]
