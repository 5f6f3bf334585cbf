// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Colouring } from '../src/app/state.js';
import { Origin } from '../src/data/capture.js';
import type { Theme } from '../src/ui/colours.js';
import {
	contrast,
	DARK,
	differenceColour,
	faintOn,
	functionColour,
	LIGHT,
	mixColours,
	rgbOf,
	shareColours,
	textOn,
} from '../src/ui/colours.js';
import { shownOf } from './flame_trees.js';

const THEMES: readonly Theme[] = [LIGHT, DARK];

function manyFunctions(): ReturnType<typeof shownOf>['tables'] {
	const lines = Array.from({ length: 300 }, (_, i) => `f${i}@dir${i % 40}/m${i}.py 1`);
	const { tables } = shownOf([...lines, '[mark] 1']);
	return { ...tables, funcOrigin: tables.funcOrigin.map((_, f) => f % 4) };
}

/** Linear red, green and blue as someone sees them who lacks a kind of cones (Machado 2009). */
const BLIND: Readonly<Record<'protan' | 'deutan' | 'normal', readonly number[]>> = {
	protan: [
		0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998,
	],
	deutan: [
		0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881,
	],
	normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};

function labOf(colour: string, way: readonly number[]): number[] {
	const linear = rgbOf(colour).map((v) => {
		const s = v / 255;
		return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
	});
	const seen = [0, 1, 2].map((r) =>
		[0, 1, 2].reduce((sum, c) => sum + way[r * 3 + c] * linear[c], 0),
	);
	const [r, g, b] = seen.map((v) => Math.max(0, v));
	const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
	const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
	const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
	return [
		0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
		1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
		0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
	];
}

function distance(a: string, b: string, way: readonly number[]): number {
	const [x, y] = [labOf(a, way), labOf(b, way)];
	return Math.hypot(...x.map((v, i) => v - y[i]));
}

test('labels read at 4.5:1 on every fill that is drawn', () => {
	const tables = manyFunctions();
	for (const theme of THEMES) {
		const fills = new Set<string>([theme.match, ...shareColours(theme)]);
		for (const how of ['module', 'file', 'state', 'diff'] as Colouring[]) {
			for (let f = 0; f < tables.funcCount; f++) {
				const fill = functionColour(theme, tables, f, how);
				fills.add(fill);
				fills.add(mixColours(fill, theme.dark ? '#5a5550' : theme.back, 0.65));
			}
		}
		for (let d = -1; d <= 1; d += 0.01) fills.add(differenceColour(theme, d));
		assert.ok(fills.size > 60);
		for (const fill of fills) {
			for (const ink of [textOn(fill), faintOn(fill)]) {
				assert.ok(contrast(fill, ink) >= 4.5, `${fill} with ${ink}`);
			}
		}
		for (const text of [theme.text, theme.dim, theme.accent]) {
			assert.ok(contrast(theme.back, text) >= 4.5, `${text} on the page`);
		}
		assert.ok(contrast(theme.pooled, theme.text) >= 4.5);
	}
});

test('one label reads on all states at once, as boxes have parts of several', () => {
	for (const theme of THEMES) {
		const inks = new Set(shareColours(theme).map(textOn));
		assert.equal(inks.size, 1, [...inks].join());
	}
});

test('states are told apart, also without red or green cones', () => {
	for (const theme of THEMES) {
		const states = Object.entries(theme.states);
		for (const [kind, way] of Object.entries(BLIND)) {
			for (const [i, [a, x]] of states.entries()) {
				for (const [b, y] of states.slice(i + 1)) {
					const apart = distance(x, y, way);
					assert.ok(apart >= 0.055, `${a} ${b} ${kind} ${theme.dark}: ${apart.toFixed(3)}`);
				}
			}
		}
	}
});

test('more and less are told apart, also without red or green cones', () => {
	for (const theme of THEMES) {
		for (const [kind, way] of Object.entries(BLIND)) {
			for (const size of [0.005, 0.02, 0.1, 0.5]) {
				const apart = distance(differenceColour(theme, size), differenceColour(theme, -size), way);
				assert.ok(apart >= 0.05, `${size} ${kind} ${theme.dark}: ${apart.toFixed(3)}`);
			}
		}
		assert.equal(differenceColour(theme, 0), differenceColour(theme, 0.0001));
		assert.notEqual(differenceColour(theme, 0.01), differenceColour(theme, 0.1));
	}
});

test('own code, packages and the standard library differ more than tones of one do', () => {
	const { tables } = shownOf(Array.from({ length: 60 }, (_, i) => `f${i}@m${i}.py 1`));
	const of = (origin: Origin, theme: Theme): Set<string> => {
		const all = { ...tables, funcOrigin: new Uint8Array(tables.funcCount).fill(origin) };
		return new Set(tables.funcName.map((_, f) => functionColour(theme, all, f, 'module')));
	};
	for (const theme of THEMES) {
		const origins = [Origin.Own, Origin.Package, Origin.Stdlib].map((o) => of(o, theme));
		for (const [i, a] of origins.entries()) {
			assert.ok(a.size >= 4, 'several tones');
			for (const b of origins.slice(i + 1)) {
				for (const x of a) for (const y of b) assert.ok(distance(x, y, BLIND.normal) > 0.045);
			}
		}
	}
});

test('a name has one colour, in whatever tables it is', () => {
	const a = shownOf(['x@m.py;y@n.py 1']).tables;
	const b = shownOf(['z@q.py;y@n.py;x@m.py 3']).tables;
	for (const how of ['module', 'file'] as Colouring[]) {
		for (const name of ['x', 'y']) {
			assert.equal(
				functionColour(LIGHT, a, a.funcName.indexOf(name), how),
				functionColour(LIGHT, b, b.funcName.indexOf(name), how),
			);
		}
	}
});
