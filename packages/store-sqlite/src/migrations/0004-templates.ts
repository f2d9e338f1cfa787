/**
 * Templates apart from their builds, tags, build logs, layers. What was the one ready build of a template becomes its `default`.
 * Snapshots and sandboxes remember the defaults of their processes.
 */
export const templates = `
CREATE TABLE template_new (
  id TEXT PRIMARY KEY,
  public INTEGER NOT NULL,
  built_in INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO template_new SELECT template_id, 1, 1, json_extract(build, '$.createdAt'), json_extract(build, '$.createdAt') FROM template;

CREATE TABLE template_name_new (
  name TEXT PRIMARY KEY,
  template_id TEXT NOT NULL REFERENCES template_new (id) ON DELETE CASCADE,
  place INTEGER NOT NULL
) STRICT;
INSERT INTO template_name_new SELECT value, template_id, key FROM template, json_each(build, '$.names')
WHERE EXISTS (SELECT 1 FROM template_name WHERE name = value AND template_name.template_id = template.template_id);

CREATE TABLE build (
  id TEXT PRIMARY KEY,
  template_id TEXT NOT NULL REFERENCES template_new (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  tags TEXT NOT NULL,
  resources TEXT NOT NULL,
  reason TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  image TEXT,
  base TEXT,
  context TEXT,
  start TEXT,
  layer TEXT
) STRICT;
CREATE INDEX build_by_template ON build (template_id, created_at DESC);
CREATE INDEX build_by_image ON build (json_extract(image, '$.name')) WHERE image IS NOT NULL;
INSERT INTO build SELECT
  json_extract(build, '$.buildId'), template_id, 'ready', '["default"]', json_extract(build, '$.resources'), NULL,
  json_extract(build, '$.createdAt'), json_extract(build, '$.createdAt'), json_extract(build, '$.createdAt'),
  json_extract(build, '$.image'), json_extract(build, '$.base'), '{"env":{},"user":"user","workdir":"/home/user"}',
  '{"startCmd":null,"readyCmd":null}', NULL
FROM template;

CREATE TABLE template_tag (
  template_id TEXT NOT NULL REFERENCES template_new (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  build_id TEXT NOT NULL REFERENCES build (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (template_id, tag)
) STRICT;
INSERT INTO template_tag SELECT template_id, 'default', id, created_at FROM build;
CREATE INDEX template_tag_by_build ON template_tag (build_id);

DROP TABLE template_name;
DROP TABLE template;
ALTER TABLE template_new RENAME TO template;
ALTER TABLE template_name_new RENAME TO template_name;
CREATE INDEX template_name_by_template ON template_name (template_id, place);

CREATE TABLE build_log (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  build_id TEXT NOT NULL REFERENCES build (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  level INTEGER NOT NULL,
  message TEXT NOT NULL,
  step TEXT
) STRICT;
CREATE INDEX build_log_by_build ON build_log (build_id, number);

CREATE TABLE layer (
  id TEXT PRIMARY KEY,
  key TEXT UNIQUE,
  image TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX layer_by_image ON layer (json_extract(image, '$.name'));

ALTER TABLE sandbox ADD COLUMN defaults TEXT;
ALTER TABLE snapshot ADD COLUMN defaults TEXT;
CREATE INDEX sandbox_by_build ON sandbox (build_id);
CREATE INDEX event_by_template ON event (template_id, at) WHERE name = 'created';
`
