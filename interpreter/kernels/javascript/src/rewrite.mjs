/** Cells as the inspector can evaluate them: types taken away, imports made calls, what they wait for kept. */
import { stripTypeScriptTypes } from 'node:module'

import { parse } from 'acorn'

const importFunction = 'globalThis[Symbol.for("torpor.import")]'
/** What nobody else holds would be collected while the cell waits for it, and the inspector ends the process when it tells so. */
const keepFunction = 'globalThis[Symbol.for("torpor.keep")]'
const keepEachFunction = 'globalThis[Symbol.for("torpor.keepEach")]'

/** JavaScript that does what the cell says. A cell that is neither JavaScript nor TypeScript stays as it is: V8 says why. */
export function rewrite(cell) {
  const plain = parsed(cell)
  if (plain) return edited(cell, plain)
  try {
    const stripped = stripTypeScriptTypes(cell, { mode: 'transform' })
    const tree = parsed(stripped)
    return tree ? edited(stripped, tree) : cell
  } catch {
    return cell
  }
}

const options = {
  ecmaVersion: 'latest',
  allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true,
  allowHashBang: true,
}

function parsed(code) {
  try {
    return parse(code, options)
  } catch {
    return undefined
  }
}

function edited(code, tree) {
  let text = code
  // From the end, so that positions stay true; at one place what is replaced before what is put in front of it.
  for (const { start, end, replacement } of edits(code, tree).sort((one, other) => other.start - one.start || other.end - one.end)) {
    text = text.slice(0, start) + replacement + text.slice(end)
  }
  return text
}

function edits(code, tree) {
  const found = []
  const wrap = ({ start, end }, name) => {
    found.push({ start, end: start, replacement: `${name}((` }, { start: end, end, replacement: '))' })
  }
  const visit = (node, isWithin) => {
    if (node === null || typeof node !== 'object') return
    if (Array.isArray(node)) return node.forEach((one) => visit(one, isWithin))
    if (node.type === 'AwaitExpression' && !isWithin) wrap(node.argument, keepFunction)
    if (node.type === 'ForOfStatement' && node.await && !isWithin) wrap(node.right, keepEachFunction)
    if (node.type === 'ImportDeclaration') found.push({ ...node, replacement: importCall(code, node) })
    else if (node.type === 'ImportExpression')
      found.push({ start: node.start, end: node.start + 'import'.length, replacement: importFunction })
    else if (node.type?.startsWith('Export') && node.declaration) found.push({ ...node, end: node.declaration.start, replacement: '' })
    const isFunction = /Function|StaticBlock|PropertyDefinition/.test(node.type ?? '')
    if (node.type !== 'ImportDeclaration') Object.values(node).forEach((one) => visit(one, isWithin || isFunction))
  }
  visit(tree.body, false)
  return found
}

/** `import a, { b as c } from 'd'` → `const { default: a, b: c } = await import('d')`. */
function importCall(code, { specifiers, source, attributes }) {
  const pairs = attributes.map(({ key, value }) => `${code.slice(key.start, key.end)}: ${value.raw}`)
  const how = pairs.length > 0 ? `, { with: { ${pairs.join(', ')} } }` : ''
  const call = `await ${keepFunction}(${importFunction}(${source.raw}${how}))`
  if (specifiers.length === 0) return `void (${call});`
  const space = specifiers.find(({ type }) => type === 'ImportNamespaceSpecifier')
  const names = specifiers.filter((one) => one !== space).map(importedAs)
  if (!space) return `const { ${names.join(', ')} } = ${call};`
  const rest = names.length > 0 ? `, { ${names.join(', ')} } = ${space.local.name}` : ''
  return `const ${space.local.name} = ${call}${rest};`
}

function importedAs({ type, imported, local }) {
  if (type === 'ImportDefaultSpecifier') return `default: ${local.name}`
  return `${imported.raw ?? imported.name}: ${local.name}`
}
