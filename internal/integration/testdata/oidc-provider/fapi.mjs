// An OpenID provider of oidc-provider's under its FAPI 2.0 profile, which takes
// only what that profile lets: PAR, PKCE, DPoP with nonces, ES256 or PS256, and
// clients that sign. It prints its issuer when it is ready, keeps a record of what
// it parsed under /record, and ends when its standard input does.
//
// The setup (JSON, first argument) has the client as it is registered, and
// switches: nonce, signed (request objects), tls (key and cert of a second server
// that asks for client certificates).

import { createServer } from 'node:http';
import { createServer as createTLSServer } from 'node:https';

import Provider from 'oidc-provider';

const setup = JSON.parse(process.argv[2]);

const listen = (server) => new Promise((done) => {
  server.listen(0, '127.0.0.1', () => done(server.address().port));
});

const plain = createServer();
const issuer = `http://localhost:${await listen(plain)}`;
const servers = [plain];
const discovery = {};
if (setup.tls) {
  const tls = createTLSServer({ ...setup.tls, requestCert: true, rejectUnauthorized: false });
  const base = `https://localhost:${await listen(tls)}`;
  servers.push(tls);
  discovery.mtls_endpoint_aliases = {
    token_endpoint: `${base}/token`,
    userinfo_endpoint: `${base}/me`,
    pushed_authorization_request_endpoint: `${base}/request`,
  };
}

const algorithms = ['ES256', 'PS256', 'EdDSA', 'Ed25519'];
const record = [];
const provider = new Provider(issuer, {
  clients: [setup.client],
  jwks: setup.jwks,
  scopes: ['openid', 'offline_access', 'email'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  clientAuthMethods: ['none', 'private_key_jwt', 'client_secret_jwt', ...(setup.tls ? ['self_signed_tls_client_auth'] : [])],
  cookies: { keys: ['for these tests only'] },
  discovery,
  enabledJWA: {
    clientAuthSigningAlgValues: [...algorithms, 'HS256'],
    idTokenSigningAlgValues: ['ES256', 'PS256'],
    requestObjectSigningAlgValues: algorithms,
    dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA'],
    idTokenEncryptionAlgValues: ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'],
    idTokenEncryptionEncValues: ['A128CBC-HS256', 'A256GCM'],
  },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true }),
  }),
  issueRefreshToken: async (ctx, client, code) => code.scopes.has('offline_access'),
  rotateRefreshToken: false, // a sender-constrained one needs none (FAPI 2.0 section 5.3.2.1)
  features: {
    fapi: { enabled: setup.fapi !== false, profile: '2.0' },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: setup.fapi !== false },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => setup.nonce === true },
    encryption: { enabled: true },
    requestObjects: { enabled: setup.signed === true, requireSignedRequestObject: setup.signed === true },
    mTLS: {
      enabled: Boolean(setup.tls),
      selfSignedTlsClientAuth: Boolean(setup.tls),
      certificateBoundAccessTokens: Boolean(setup.tls),
      getCertificate: (ctx) => ctx.socket.getPeerX509Certificate?.(),
    },
  },
});
provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc) {
    record.push({ route: ctx.oidc.route, status: ctx.status, header: ctx.headers, params: ctx.oidc.params, body: ctx.oidc.body });
  }
});
provider.on('server_error', (ctx, error) => console.error(error));
const answer = provider.callback();
for (const server of servers) {
  server.on('request', (request, response) => {
    if (request.url === '/record') {
      response.end(JSON.stringify(record));
    } else {
      answer(request, response);
    }
  });
}
console.log(issuer);

process.stdin.on('end', () => process.exit()).resume();
