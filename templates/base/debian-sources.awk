# Prints the Debian bookworm sources of this machine as one-line entries, so that the base template comes from the same
# mirror as the machine itself. Reads one-line files (*.list) and deb822 files (*.sources); drops everything that is not
# Debian's own archive (other suites, other components, other keyrings). Prints nothing when there is none.

function emit(uris, suites, components, signer,    u, s, uri, suite, i, j) {
  if (components !~ /(^| )main( |$)/) return
  if (signer != "" && signer !~ /debian-archive/) return
  u = split(uris, uri, " ")
  s = split(suites, suite, " ")
  for (i = 1; i <= u; i++)
    for (j = 1; j <= s; j++)
      if (suite[j] ~ /^bookworm(-updates|-security)?$/ && uri[i] ~ /^(https?|file|copy|mirror\+https?):/)
        if (!seen[uri[i], suite[j]]++) print "deb " uri[i] " " suite[j] " main"
}

function flush_stanza() {
  if (field["types"] ~ /(^| )deb( |$)/ && tolower(field["enabled"]) != "no")
    emit(field["uris"], field["suites"], field["components"], field["signed-by"])
  split("", field)
  name = ""
}

function one_line(line,    signer, part, n, i, components) {
  signer = ""
  if (match(line, /\[[^]]*\]/)) {
    signer = substr(line, RSTART, RLENGTH)
    line = substr(line, 1, RSTART - 1) substr(line, RSTART + RLENGTH)
    if (match(signer, /signed-by=[^] ]*/)) signer = substr(signer, RSTART, RLENGTH)
    else signer = ""
  }
  n = split(line, part, /[ \t]+/)
  if (part[1] != "deb") return
  components = ""
  for (i = 4; i <= n; i++) components = components " " part[i]
  emit(part[2], part[3], components, signer)
}

FNR == 1 { flush_stanza() }
{ sub(/\r$/, "") }
/^[ \t]*#/ { next }
FILENAME !~ /\.sources$/ { sub(/[ \t]*#.*$/, ""); sub(/^[ \t]+/, ""); one_line($0); next }
/^[ \t]*$/ { flush_stanza(); next }
/^[ \t]/ { if (name != "") field[name] = field[name] " " $0; next }
{
  name = tolower(substr($0, 1, index($0, ":") - 1))
  value = substr($0, index($0, ":") + 1)
  gsub(/[ \t]+/, " ", value)
  sub(/^ /, "", value)
  field[name] = value
}
END { flush_stanza() }
