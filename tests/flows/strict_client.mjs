// A strict OAuth client, oauth4webapi, from discovery to revocation. It holds every answer to the RFCs and stops at the
// first that is not as they say.
//
//   node strict_client.mjs RESOURCE METHOD [openid]
//
// With the last word it also asks who its user is, and verifies the ID tokens and the answers of UserInfo.
//
// The browser is whoever reads the output: one line is the URL to open, and the answer, one line, is the URL at which the
// browser came back. The last line is JSON: what happened.

import assert from 'node:assert/strict'
import { createInterface } from 'node:readline/promises'
import * as oauth from 'oauth4webapi'

const [resource, method, openid] = process.argv.slice(2)
const nonce = oauth.generateRandomNonce()
const options = { [oauth.allowInsecureRequests]: true }
const callback = 'https://assistant.example/callback'
const terminal = createInterface({ input: process.stdin, terminal: false })
const lines = terminal[Symbol.asyncIterator]()

async function discover() {
  const asked = await oauth.resourceDiscoveryRequest(new URL(resource), options)
  const described = await oauth.processResourceDiscoveryResponse(new URL(resource), asked)
  const issuer = new URL(described.authorization_servers[0])
  const documents = []
  for (const algorithm of ['oauth2', 'oidc']) {
    const response = await oauth.discoveryRequest(issuer, { ...options, algorithm })
    documents.push(await oauth.processDiscoveryResponse(issuer, response))
  }
  assert.deepEqual(documents[0], documents[1])
  assert.equal(documents[0].issuer, described.authorization_servers[0])
  assert.equal(documents[0].authorization_response_iss_parameter_supported, true)
  for (const name of ['userinfo_endpoint', 'jwks_uri', 'claims_supported', 'id_token_signing_alg_values_supported']) {
    assert.equal(name in documents[0], openid !== undefined)
  }
  return documents[0]
}

async function register(server) {
  const metadata = { redirect_uris: [callback], client_name: 'Strict client', token_endpoint_auth_method: method }
  const pair = method === 'private_key_jwt' ? await oauth.generateKeyPair('ES256') : undefined
  if (pair !== undefined) {
    const key = await crypto.subtle.exportKey('jwk', pair.publicKey)
    metadata.jwks = { keys: [{ ...key, kid: 'first', use: 'sig', alg: 'ES256' }] }
  }
  const response = await oauth.dynamicClientRegistrationRequest(server, metadata, options)
  const client = await oauth.processDynamicClientRegistrationResponse(response)
  assert.equal(client.token_endpoint_auth_method, method)
  const authentication = {
    none: () => oauth.None(),
    client_secret_basic: () => oauth.ClientSecretBasic(client.client_secret),
    client_secret_post: () => oauth.ClientSecretPost(client.client_secret),
    private_key_jwt: () => oauth.PrivateKeyJwt({ key: pair.privateKey, kid: 'first' }),
  }[method]()
  return [client, authentication]
}

async function authorize(server, client) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: callback,
    response_type: 'code',
    scope: openid ? 'openid email profile read account' : 'read account',
    state,
    ...(openid && { nonce }),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    resource,
  })
  console.log(url.href)
  const back = new URL((await lines.next()).value)
  for (const issuer of ['https://another.example', '']) {
    const mixedUp = new URL(back)
    mixedUp.searchParams.set('iss', issuer)
    assert.throws(() => oauth.validateAuthResponse(server, client, mixedUp, state), oauth.OperationProcessingError)
  }
  return [oauth.validateAuthResponse(server, client, back, state), verifier]
}

const server = await discover()
const [client, authentication] = await register(server)

async function isActive(token) {
  const response = await oauth.introspectionRequest(server, client, authentication, token, options)
  return (await oauth.processIntrospectionResponse(server, client, response)).active
}

async function call(token) {
  const body = { jsonrpc: '2.0', id: 1, method: 'ping' }
  const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' })
  const sent = [token, 'POST', new URL(resource), headers, JSON.stringify(body), options]
  return (await oauth.protectedResourceRequest(...sent)).status
}

async function identify(tokens, response) {
  await oauth.validateApplicationLevelSignature(server, response, options)
  const { iss, sub, aud, exp, iat, nonce, at_hash, ...claims } = oauth.getValidatedIdTokenClaims(tokens)
  const asked = await oauth.userInfoRequest(server, client, tokens.access_token, options)
  const told = await oauth.processUserInfoResponse(server, client, sub, asked)
  assert.deepEqual(told, { sub, ...claims })
  const nobody = await oauth.userInfoRequest(server, client, 'att_at_unknown', options)
  await assert.rejects(oauth.processUserInfoResponse(server, client, sub, nobody), oauth.WWWAuthenticateChallengeError)
  return told
}

const [parameters, verifier] = await authorize(server, client)
const exchanged = await oauth.authorizationCodeGrantRequest(
  server, client, authentication, parameters, callback, verifier, { ...options, additionalParameters: { resource } },
)
const expected = openid ? { expectedNonce: nonce, requireIdToken: true } : {}
const first = await oauth.processAuthorizationCodeResponse(server, client, exchanged, expected)
assert.equal(first.scope, openid ? 'openid email profile read account' : 'read account')
const user = openid && (await identify(first, exchanged))
assert.equal(await call(first.access_token), 200)
assert.equal(await isActive(first.access_token), true)

const refreshed = await oauth.refreshTokenGrantRequest(server, client, authentication, first.refresh_token, options)
const second = await oauth.processRefreshTokenResponse(server, client, refreshed)
assert.deepEqual(openid && (await identify(second, refreshed)), user)
assert.notEqual(second.refresh_token, first.refresh_token)
assert.notEqual(second.access_token, first.access_token)
assert.equal(await isActive(second.refresh_token), true)

const ended = await oauth.revocationRequest(server, client, authentication, second.access_token, options)
await oauth.processRevocationResponse(ended)
assert.deepEqual([await isActive(second.access_token), await isActive(second.refresh_token)], [false, true])
const revoked = await oauth.revocationRequest(server, client, authentication, second.refresh_token, options)
await oauth.processRevocationResponse(revoked)
for (const token of [first.access_token, first.refresh_token, second.refresh_token]) {
  assert.equal(await isActive(token), false)
}
await assert.rejects(call(first.access_token), oauth.WWWAuthenticateChallengeError)
const late = await oauth.refreshTokenGrantRequest(server, client, authentication, second.refresh_token, options)
await assert.rejects(
  oauth.processRefreshTokenResponse(server, client, late),
  (error) => error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant',
)

terminal.close()
console.log(JSON.stringify({ method: client.token_endpoint_auth_method, client_id: client.client_id, user }))
