// Runs fetchUserProfile scripts in Node.js itself, as the vendor's platform does:
// node_test.go compares what comes out. The standard input has a list of
// {source, token, context}; the standard output gets the list of outcomes.
const vm = require('vm');

const load = (name) => {
  const bare = name.replace(/^node:/, '').replace(/(.)@[^/]*$/, '$1');
  return require(bare === 'axios' && /@0/.test(name) ? 'axios0' : bare);
};

function run({ source, token, context }) {
  return new Promise((resolve) => {
    const failed = (e) => resolve({ error: e instanceof Error ? e.message : typeof e === 'object' ? JSON.stringify(e) : String(e) });
    const done = (e, profile) => (e ? failed(e) : resolve({ profile: JSON.parse(JSON.stringify(profile === undefined ? null : profile)) }));
    process.removeAllListeners('uncaughtException').on('uncaughtException', failed);
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', failed);
    try {
      const f = vm.runInThisContext('(function (module, exports, require) { return ' + source + '\n})')({ exports: {} }, {}, load);
      const result = f(token, context, done);
      if (result && typeof result.then === 'function') result.then((v) => v && done(null, v), failed);
    } catch (e) {
      failed(e);
    }
  });
}

setInterval(() => {}, 1000); // a timer that is not to keep Node going ends nothing here
let input = '';
process.stdin.on('data', (part) => { input += part; }).on('end', async () => {
  for (const [name, module] of [['request', 'request'], ['_', 'lodash'], ['jwt', 'jsonwebtoken']]) {
    Object.defineProperty(globalThis, name, { configurable: true, get: () => load(module) });
  }
  globalThis.configuration = {};
  const outcomes = [];
  for (const one of JSON.parse(input)) outcomes.push(await run(one));
  process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
});
