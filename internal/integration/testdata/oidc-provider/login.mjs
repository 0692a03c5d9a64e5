// An OpenID provider of oidc-provider's that logs in whoever comes, in the way
// that the login_hint says, and asks nothing. It prints its issuer when it is
// ready, and ends when its standard input does.
//
// login_hint is JSON: account, acr (none if absent), age (seconds since the user
// logged in), deny (an error to answer with). What an honest provider refuses to
// do, such as letting an old login pass for max_age, this one does.

import { createServer } from 'node:http';

import Provider, { interactionPolicy } from 'oidc-provider';

const { client_id, client_secret, callback } = JSON.parse(process.argv[2]);

const policy = interactionPolicy.base();
for (const check of ['max_age', 'essential_acr', 'essential_acrs']) {
  policy.get('login').checks.remove(check);
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id, client_secret, redirect_uris: [callback], post_logout_redirect_uris: ['https://auth.example.com/bye'] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], acr: null, auth_time: null },
    acrValues: ['urn:example:high', 'urn:example:low'],
    cookies: { keys: ['for these tests only'] },
    conformIdTokenClaims: false,
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true }),
    }),
    features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    interactions: { policy, url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    // The consent that any user of this provider has given.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid email');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    if (!request.url.startsWith('/interaction/')) {
      answer(request, response);
      return;
    }
    const { params } = await provider.interactionDetails(request, response);
    const hint = JSON.parse(params.login_hint ?? '{"account": "user-1"}');
    const result = hint.deny ? { error: hint.deny, error_description: 'words of the provider' } : {
      login: { accountId: hint.account ?? 'user-1', acr: hint.acr, ts: Math.floor(Date.now() / 1000) - (hint.age ?? 0) },
    };
    await provider.interactionFinished(request, response, result);
  });
  console.log(issuer);
});

process.stdin.on('end', () => process.exit()).resume();
