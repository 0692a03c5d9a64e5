// An OpenID provider of oidc-provider's, with its own development pages for
// login and consent. It prints its issuer when it is ready, keeps a record of
// what it parsed under /record, and ends when its standard input does.

import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const { client_id, client_secret, callback } = JSON.parse(process.argv[2]);

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://localhost:${server.address().port}`;
  const record = [];
  const provider = new Provider(issuer, {
    clients: [{
      client_id,
      client_secret,
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'refresh_token'],
    }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    acrValues: ['urn:example:high', 'urn:example:low'],
    cookies: { keys: ['for these tests only'] },
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true }),
    }),
    features: {
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'read', accessTokenFormat: 'jwt' }),
      },
    },
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc) {
      record.push({ route: ctx.oidc.route, status: ctx.status, header: ctx.headers, params: ctx.oidc.params });
    }
  });
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (request.url === '/record') {
      response.end(JSON.stringify(record));
    } else {
      answer(request, response);
    }
  });
  console.log(issuer);
});

process.stdin.on('end', () => process.exit()).resume();
