/** When a key was made and last used. The keys of before were of one kind, put in at every start: they count as made now. */
export const apiKeys = `
CREATE TABLE api_key_new (
  name TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  hint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT;
INSERT INTO api_key_new SELECT name, hash, '', unixepoch() * 1000, NULL FROM api_key GROUP BY name;
DROP TABLE api_key;
ALTER TABLE api_key_new RENAME TO api_key;
`
