#!/usr/bin/env node
import { createRequire } from 'node:module';
// SPDX-License-Identifier: MIT
/**
 * How large the viewer is, as a report carries it, and as `fireglass serve` sends it: script and
 * style, and both packed by gzip. Exits 1 if they are more than the limits.
 */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const MODULES = process.env.FIREGLASS_WEB_MODULES ?? join(WEB, 'node_modules');
const esbuild = createRequire(resolve(MODULES, 'x.js'))('esbuild');
const LIMITS = { 'src/main.ts': 120_000, 'src/main_live.ts': 130_000 };

/** As tools/build_page.py has it built. */
function built(entry, options) {
	const result = esbuild.buildSync({
		absWorkingDir: WEB,
		entryPoints: [entry],
		bundle: true,
		minify: true,
		legalComments: 'none',
		write: false,
		outdir: 'out',
		logLevel: 'warning',
		...options,
	});
	return Buffer.from(result.outputFiles[0].contents);
}

const style = built('src/style/main.css', {});
const kilo = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
for (const [entry, limit] of Object.entries(LIMITS)) {
	const script = built(entry, { format: 'iife', target: 'es2022' });
	const packed = gzipSync(Buffer.concat([script, style]), { level: 9 }).length;
	console.log(
		`${entry}: script ${kilo(script.length)}, style ${kilo(style.length)}, packed ${kilo(packed)} of ${kilo(limit)}`,
	);
	if (!(packed <= limit)) {
		console.error(
			`size.mjs: the viewer is too large: ${kilo(packed)}, the limit is ${kilo(limit)}`,
		);
		process.exitCode = 1;
	}
}
