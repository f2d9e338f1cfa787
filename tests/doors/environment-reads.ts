import { readFile } from 'node:fs/promises'
import path from 'node:path'

import ts from 'typescript'

/** Where a program's environment may be read: configuration in one file, and what starts programs. */
const allowed = [/^packages\/server\/src\/config\/env\.ts$/, /^packages\/(cli|testkit)\/src\//, /\.test\.ts$/]

/** The lines of `files` (relative to `root`) that read `process.env` where they must not. */
export async function environmentReads(root: string, files: readonly string[]): Promise<string[]> {
  const suspects = files.filter((file) => !allowed.some((pattern) => pattern.test(file)))
  const found = await Promise.all(
    suspects.map(async (file) => readsOf(await readFile(path.join(root, file), 'utf8')).map((line) => `${file}:${line}`)),
  )
  return found.flat()
}

/** Line numbers at which the source reads the environment: `process.env`, `process['env']`, `{ env }` of either. */
export function readsOf(source: string): number[] {
  const parsed = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true)
  const lines: number[] = []
  const visit = (node: ts.Node): void => {
    if (isRead(node)) lines.push(parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1)
    ts.forEachChild(node, visit)
  }
  visit(parsed)
  return lines
}

function isRead(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return isProcess(node.expression) && node.name.text === 'env'
  if (ts.isElementAccessExpression(node)) return isProcess(node.expression) && isEnv(node.argumentExpression)
  if (ts.isImportSpecifier(node)) return isEnv(node.propertyName ?? node.name) && /^(node:)?process$/.test(moduleOf(node))
  if (ts.isBindingElement(node)) return isEnv(node.propertyName ?? node.name) && isProcess(node.parent.parent)
  return false
}

/** `process`, `globalThis.process`, or a declaration that takes its parts from it. */
function isProcess(node: ts.Node): boolean {
  if (ts.isVariableDeclaration(node)) return node.initializer !== undefined && isProcess(node.initializer)
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'process'
  return ts.isIdentifier(node) && node.text === 'process'
}

const isEnv = (node: ts.Node): boolean => (ts.isIdentifier(node) || ts.isStringLiteralLike(node)) && node.text === 'env'

function moduleOf(specifier: ts.ImportSpecifier): string {
  const from = specifier.parent.parent.parent.moduleSpecifier
  return ts.isStringLiteral(from) ? from.text : ''
}
