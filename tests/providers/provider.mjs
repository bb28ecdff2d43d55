// An independent OpenID provider for the tests, on loopback: node provider.mjs PORT HUB. It signs in whoever types a name,
// with what is ticked as the factors used, asks for no consent, and ends sessions at both ends.
import { Provider } from 'oidc-provider';

const [port, hub] = [Number(process.argv[2]), process.argv[3]];
const issuer = `http://127.0.0.1:${port}`;
const escaped = (text) => String(text).replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'hub',
    client_secret: 'the-secret-of-the-hub',
    redirect_uris: [`${hub}/sign-in/return`],
    post_logout_redirect_uris: [`${hub}/sign-in`],
    backchannel_logout_uri: `${hub}/sign-in/provider-logout`,
    backchannel_logout_session_required: true,
    id_token_signed_response_alg: 'RS256',
  }],
  claims: { openid: ['sub', 'amr', 'acr'], auth_time: null, sid: null, iss: null },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = `<!DOCTYPE html><html lang="en"><title>Sign out</title>${form}`
          + '<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>';
      },
    },
  },
  cookies: { keys: ['a key of the tests'] },
  // it refuses to tell addresses on loopback, where the tests are
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  pkce: { required: () => true },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
});

const bodyOf = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
};

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  if (ctx.method === 'POST') {
    const form = await bodyOf(ctx.req);
    const login = { accountId: form.get('login'), amr: form.getAll('amr') };
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login }, { mergeWithLastSubmission: false }));
    ctx.status = 303;
    return undefined;
  }
  const { prompt } = await provider.interactionDetails(ctx.req, ctx.res);
  ctx.type = 'html';
  ctx.body = `<!DOCTYPE html><html lang="en"><title>Work account</title><h1>Work account</h1><p>${escaped(prompt.name)}</p>
<form method="post"><label>Name <input name="login"></label>
<input type="hidden" name="amr" value="pwd"><label>Code <input type="checkbox" name="amr" value="otp" checked></label>
<button>Go on</button></form>`;
  return undefined;
});

provider.on('server_error', (ctx, error) => console.error(error));
provider.on('backchannel.error', (ctx, error) => console.error('backchannel', error));
provider.on('backchannel.success', () => console.error('backchannel told'));
provider.listen(port, '127.0.0.1', () => console.log('ready'));
