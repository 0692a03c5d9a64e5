// Bundles the libraries that scripts find, from npm and by the versions of
// package-lock.json, into one file each, and their licences into LICENSES.txt:
//
//	npm ci --ignore-scripts && node build.mjs
//
// What one of them requires of another stays a call of require; the prelude has
// it. Nothing of a library is changed, but for what alias says.
import { build } from 'esbuild';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Where a library is more than its main module, what of it is bundled.
const libraries = {
  abort: `module.exports = require('abortcontroller-polyfill/dist/cjs-ponyfill.js');`,
  assert: `const assert = require('./node_modules/assert/'); assert.comparisons = require('./node_modules/assert/build/internal/util/comparisons.js'); module.exports = assert;`,
  axios: `const axios = require('axios').default; const { default: settle } = require('axios/unsafe/core/settle.js');
    const { default: buildFullPath } = require('axios/unsafe/core/buildFullPath.js'); const { default: buildURL } = require('axios/unsafe/helpers/buildURL.js');
    module.exports = { axios, settle, buildFullPath, buildURL };`,
  axios0: `module.exports = { axios: require('axios0'), settle: require('axios0/lib/core/settle'), buildFullPath: require('axios0/lib/core/buildFullPath'),
    buildURL: require('axios0/lib/helpers/buildURL'), enhanceError: require('axios0/lib/core/enhanceError') };`,
  buffer: `module.exports = require('./node_modules/buffer/');`,
  events: `module.exports = require('./node_modules/events/');`,
  jsonwebtoken: `module.exports = require('jsonwebtoken');`,
  'jwt-decode': `module.exports = require('./node_modules/jwt-decode/build/jwt-decode.cjs.js');`,
  lodash: `module.exports = require('lodash');`,
  oauth: `module.exports = require('oauth');`,
  'oauth-sign': `module.exports = require('oauth-sign');`,
  qs: `module.exports = require('qs');`,
  querystring: `module.exports = require('./node_modules/querystring/');`,
  stream: `module.exports = require('stream-browserify'); module.exports.StringDecoder = require('string_decoder/').StringDecoder;`,
  url: `module.exports = require('./node_modules/url/');`,
  inspect: `module.exports = require('node-inspect-extracted');`,
  util: `module.exports = require('./node_modules/util/');`,
  'whatwg-url': `module.exports = require('whatwg-url');`,
  xml2js: `module.exports = require('xml2js');`,
  zlib: `module.exports = require('browserify-zlib');`,
};

const provided = ['assert', 'buffer', 'crypto', 'events', 'http', 'https', 'querystring', 'stream', 'timers', 'url', 'util'];
const alias = { tr46: './tr46.js' }; // tables of 300 KB: Go has them
const only = { stream: { util: './none.js' }, xml2js: { stream: './none.js' } }; // these ask for it, and do without

const packages = new Set();
for (const [name, contents] of Object.entries(libraries)) {
  const aliases = { ...alias, ...only[name] };
  const { metafile } = await build({
    stdin: { contents, resolveDir: '.', sourcefile: name + '.js' }, outfile: join('bundle', name + '.js'),
    bundle: true, format: 'cjs', platform: 'browser', target: 'es2022', mainFields: ['browser', 'main'], metafile: true, legalComments: 'none',
    minifyWhitespace: true, minifySyntax: true, charset: 'ascii', lineLimit: 200, alias: aliases,
    external: provided.filter((p) => !(p in aliases)), logLevel: 'warning',
  });
  for (const file of Object.keys(metafile.inputs)) {
    const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file);
    if (found) packages.add(found[0]);
  }
}

const texts = [...packages].map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json')));
  const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
  const text = file && readFileSync(join(folder, file), 'utf8').trim().replace(/\r/g, '').replace(/[ \t]+$/gm, '');
  return `${name} ${version} (${license})\n\n${text || 'Its package has no text of the licence but that name.'}\n`;
});
writeFileSync('LICENSES.txt', [...new Set(texts)].sort().join('\n' + '-'.repeat(80) + '\n\n'));
