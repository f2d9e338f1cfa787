// tsyringe, below the library, needs it; it has to come first.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'

import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMilliseconds = 86_400_000
/** A clock that is a little behind must not refuse a new certificate. */
const headStartMilliseconds = dayMilliseconds

const serialNumber = (): string => `01${randomBytes(15).toString('hex')}`

const validity = (days: number, now: number) => ({
  notBefore: new Date(now - headStartMilliseconds),
  notAfter: new Date(now + days * dayMilliseconds),
})

/** An authority that signs for one machine; it can sign no other authority. */
export async function makeAuthority(name: string, days: number, now = Date.now()): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...validity(days, now),
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: await privatePem(keys.privateKey) }
}

/** A server's certificate for `names`, wildcards among them, signed by the authority; no authority itself (protocol.md 9). */
export async function makeLeaf(authority: KeyPair, names: readonly string[], days: number, now = Date.now()): Promise<KeyPair> {
  const issuer = new X509Certificate(authority.certificate)
  const signingKey = await importPrivate(authority.key)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.create({
    ...validity(days, now),
    serialNumber: serialNumber(),
    // Clients read the alternative names; a common name holds 64 characters only.
    subject: [{ CN: ['Torpor'] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: await privatePem(keys.privateKey) }
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), PemConverter.PrivateKeyTag)}\n`
}

async function importPrivate(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = PemConverter.decode(pem)
  if (!der) throw new Error('the key of the authority holds no PEM block')
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])
}
