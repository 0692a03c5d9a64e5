// What the host calls: entry(what, ...). It gives nothing back; a result leaves
// by host('profile') or host('fail'), once.

global('global', globalThis);

let script; // makes the function from the script's text
let finished = false;

function fail(e) {
  if (finished) return;
  finished = true;
  host('fail', describe(e));
}

function succeed(profile) {
  if (finished) return;
  finished = true;
  let text;
  try {
    text = stringify(profile);
  } catch (e) {
    return void host('fail', 'the profile cannot be written as JSON: ' + describe(e));
  }
  if (text === undefined) return void host('fail', 'the script gave no profile');
  host('profile', text);
}

// The first call counts.
function callback(e, profile) {
  if (e) fail(e);
  else succeed(profile);
}

// The script's function: what it gives or exports, else what it declares, of
// several the one with the parameters of a fetchUserProfile.
function choose(given, exported, first) {
  for (const o of exported === first ? [exported] : [exported, first]) {
    if (isFunction(o)) return o;
    if (!isObject(o)) continue;
    if (isFunction(o.fetchUserProfile)) return o.fetchUserProfile;
    for (const k of Object.keys(o)) if (isFunction(o[k])) return o[k];
  }
  if (!Array.isArray(given)) return isFunction(given) ? given : undefined;
  const declared = given.filter(isFunction);
  if (declared.length && declared[0].name === 'fetchUserProfile') return declared[0];
  return declared.find((f) => f.length > 2) || declared[0];
}

function run(input) {
  const module = { exports: {} };
  const exports = module.exports;
  const given = script(module, exports, require);
  const f = choose(given, module.exports, exports);
  if (!f) return fail('the script gives no function; it has to be function (accessToken, context, callback)');
  const { token, secret, context, configuration, oauth1 } = input;
  global('configuration', configuration);
  const result = f.length === 4 || oauth1 && f.length !== 3 ? f(token, secret, context, callback) : f(token, context, callback);
  if (isObject(result) && isFunction(result.then)) {
    // An async function may resolve to what request gave it: that is no profile.
    result.then((v) => { if (isObject(v) && !(v instanceof EventEmitter)) succeed(v); }, fail);
  }
}

// What a script speaks of is there before it runs, and part of what is kept.
function preload(names) {
  for (const name of names) {
    const bare = name.replace(/^node:|@.*/g, '');
    if (bare in modules) require(name);
    if (bare === 'https' || bare === 'http') streams();
    if (bare === 'qs' || bare === 'form') library('qs');
    if (bare === '_' || bare === 'jwt' || bare === 'Buffer' || /^(URL|Abort)/.test(bare)) void globalThis[bare];
  }
}

// A first login of a made-up script, before any state is kept, so that what the
// engine makes on first use is made for every run.
function warmUp() {
  script = () => (token, context, done) => request.get({ url: 'https://idp.invalid/', headers: { Authorization: 'Bearer ' + token } }, (e, answer, body) => {
    const data = JSON.parse(body);
    done(answer.statusCode === 200 ? null : new Error(body), { user_id: data.id });
  });
  run({ token: '', secret: '', context: {}, configuration: {} });
}

function forget() {
  finished = false;
  lastTimer = lastExchange = 0;
  timers.clear();
  exchanges.clear();
  delete globalThis.configuration;
}

return function entry(what, a, b, c) {
  try {
    switch (what) {
      case 'warm':
        preload(parseJSON(a));
        warmUp();
        break;
      case 'adopt':
        forget();
        script = globalThis.fetchscript;
        delete globalThis.fetchscript;
        break;
      case 'run':
        run(parseJSON(a));
        break;
      case 'answer':
        answered(Number(a), b, c);
        break;
      case 'timer':
        timerDue(Number(a));
    }
  } catch (e) {
    fail(e);
  }
};
