// Lets openid-client make the requests of one login at an identity provider that
// only answers, and prints them. The setup (JSON, first argument) has metadata,
// client_id, secret or jwk (private, for the client), request_jwk (private, for a
// request object), dpop_jwk (private), parameters, redirect_uri, code, verifier.

import { webcrypto } from 'node:crypto';

import * as client from 'openid-client';

const setup = JSON.parse(process.argv[2]);

const names = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  Ed25519: { name: 'Ed25519' },
};

async function key({ kid, ...jwk }) {
  const algorithm = names[jwk.alg];
  const imported = await webcrypto.subtle.importKey('jwk', { ...jwk, alg: undefined }, algorithm, true, ['sign']);
  return kid ? { key: imported, kid } : imported;
}

async function pair(jwk) {
  const { d, ...rest } = jwk;
  const algorithm = names[jwk.alg];
  return {
    privateKey: await webcrypto.subtle.importKey('jwk', { ...jwk, alg: undefined }, algorithm, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('jwk', { ...rest, alg: undefined }, algorithm, true, ['verify']),
  };
}

const requests = [];
const config = new client.Configuration(
  setup.metadata,
  setup.client_id,
  undefined,
  setup.jwk ? client.PrivateKeyJwt(await key(setup.jwk)) : client.ClientSecretJwt(setup.secret),
);
client.allowInsecureRequests(config);
config[client.customFetch] = async (url, options) => {
  requests.push({
    url,
    method: options.method,
    header: Object.fromEntries(new Headers(options.headers)),
    body: options.body ? String(options.body) : '',
  });
  const json = (status, body, header) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...header } });
  switch (url) {
    case setup.metadata.pushed_authorization_request_endpoint:
      return json(201, { request_uri: 'urn:example:1', expires_in: 60 });
    case setup.metadata.token_endpoint: {
      const known = requests.filter((r) => r.url === url).length > 1;
      return known
        ? json(200, { access_token: 'A1', token_type: 'DPoP', refresh_token: 'R1' })
        : json(400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': 'nonce-1' });
    }
    default:
      return json(200, { sub: 'user-1' });
  }
};

const DPoP = client.getDPoPHandle(config, await pair(setup.dpop_jwk));
let parameters = new URLSearchParams(setup.parameters);
if (setup.request_jwk) {
  const signed = await client.buildAuthorizationUrlWithJAR(config, parameters, await key(setup.request_jwk));
  requests.push({ url: signed.href, method: 'GET', header: {}, body: '' });
}
const pushed = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
requests.push({ url: pushed.href, method: 'GET', header: {}, body: '' });
await client.genericGrantRequest(config, 'authorization_code', {
  code: setup.code, redirect_uri: setup.redirect_uri, code_verifier: setup.verifier,
}, { DPoP });
await client.fetchUserInfo(config, 'A1', 'user-1', { DPoP });
console.log(JSON.stringify(requests));
