// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeFolded, foldedLines } from '../src/draw/folded.js';
import { escapeXml, svgOf } from '../src/draw/svg.js';
import { makeFitter, visible } from '../src/draw/text.js';
import { LIGHT } from '../src/ui/colours.js';
import { searchFunctions, titleOf } from '../src/ui/search.js';
import { shownOf } from './flame_trees.js';

const HOSTILE = [
	'</script><img src=x onerror=alert(1)>',
	'"><svg onload="alert(1)',
	"a' b & c",
	']]>',
	'\u0000\u0008\u001b[31m',
	'\u202eevil\u202c',
	'\ud800 half',
	'\ufffe',
	'&#x26;',
];

const wide = makeFitter(() => 10);

test('a text that fits is whole, one that does not is cut in the middle', () => {
	assert.equal(wide.fit('abcdef', 60), 'abcdef');
	assert.equal(wide.fit('abcdefghij', 60).length, 6);
	assert.match(wide.fit('abcdefghij', 60), /^ab+c?…[h-j]*j$/);
	assert.equal(wide.fit('abcdef', 15), '');
	assert.equal(wide.fit('', 15), '');
});

test('what tells methods apart is kept', () => {
	assert.equal(wide.fit('VeryLongClassName.method', 120), 'VeryL…method');
	assert.match(wide.fit('a.b.handle_request_of_the_user', 120), /^a.*…/);
});

test('pairs are not cut into halves', () => {
	for (let room = 20; room < 90; room += 5) {
		const text = wide.fit('😀😀😀😀😀😀😀😀😀😀', room);
		assert.ok(text === '' || text.replace(/😀/g, '') === '…', text);
	}
});

test('what cannot be seen is spelt out', () => {
	assert.equal(visible('a\nb\u202ec\ufeff'), 'a\\x0ab\\u202ec\\ufeff');
	assert.equal(visible('naïve 日本 😀'), 'naïve 日本 😀');
	assert.equal(visible('\ud800x'), '\\ud800x');
});

test('no name becomes markup, none makes the XML ill-formed', () => {
	for (const name of HOSTILE) {
		const text = escapeXml(name);
		assert.ok(!/[<>"']/.test(text), text);
		assert.ok(!/&(?!(amp|lt|gt|quot|#39);)/.test(text), text);
		// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
		assert.ok(!/[\x00-\x08\x0b-\x1f\ufffe\uffff]/.test(text), text);
	}
});

test('an SVG holds its texts as text, and each box says what it is', () => {
	const boxes = HOSTILE.map((text, i) => ({
		x: 0,
		y: i * 20,
		width: 2000,
		height: 20,
		fill: i === 0 ? 'hatch' : '#ff8800',
		text,
		title: text,
	}));
	const texts = [{ x: 1, y: 1, text: HOSTILE[0] }];
	const svg = svgOf({ title: HOSTILE[1], width: 2000, height: 400, boxes, texts }, LIGHT, wide);
	const tags = new Set([...svg.matchAll(/<\/?([a-zA-Z!?]+)/g)].map((m) => m[1]));
	assert.deepEqual(
		[...tags].sort(),
		['defs', 'g', 'path', 'pattern', 'rect', 'style', 'svg', 'text', 'title'].sort(),
	);
	assert.equal(svg.match(/<g>/g)?.length, HOSTILE.length);
	assert.ok(!/\son[a-z]+="/.test(svg.replace(/<title>[^<]*<\/title>|>[^<]*</g, '')));
	assert.ok(svg.includes('&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;'));
	assert.ok(svg.includes('url(#hatch)'));
});

test('parts of a box lie side by side', () => {
	const parts: [number, string][] = [
		[0.25, '#111111'],
		[0.75, '#222222'],
	];
	const box = { x: 0, y: 0, width: 101, height: 20, fill: '#333333', parts, text: '', title: '' };
	const svg = svgOf({ title: '', width: 101, height: 20, boxes: [box], texts: [] }, LIGHT, wide);
	assert.ok(svg.includes('x="0" y="0" width="25" height="19" fill="#111111"'));
	assert.ok(svg.includes('x="25" y="0" width="75" height="19" fill="#222222"'));
});

test('folded text can be read back', () => {
	const shown = shownOf(['main@a.py;work 3', 'main@a.py 2', 'x y 17 4', 'a\\b\tc 1']);
	assert.deepEqual(foldedLines(shown), [
		'a\\\\b\\tc 1\n',
		'main (a.py:7) 2\n',
		'main (a.py:7);work 3\n',
		'x y\\x2017 4\n',
	]);
	assert.equal(escapeFolded('a;b\n\u2028\u0085'), 'a\\x3bb\\n\\u2028\\x85');
});

test('stacks that read alike are one line', () => {
	const shown = shownOf(['a;b 1', 'c;b 2']);
	const names = [...shown.tables.funcName].map((n) => (n === 'c' ? 'a' : n));
	assert.deepEqual(foldedLines({ ...shown, tables: { ...shown.tables, funcName: names } }), [
		'a;b 3\n',
	]);
});

const SEARCH = { text: '', regex: true, caseSensitive: false };
const matching = (text: string, more: object = {}): string[] => {
	const { tables } = shownOf(['main@app.py;json.loads 1', 'Main 1', 'a(b 1']);
	const found = searchFunctions(tables, { ...SEARCH, text, ...more });
	return tables.funcName.filter((_, f) => found?.matches[f] === 1);
};

test('a search is of name, file and line', () => {
	assert.deepEqual(matching('^main'), ['main', 'Main']);
	assert.deepEqual(matching('^main', { caseSensitive: true }), ['main']);
	assert.deepEqual(matching('app\\.py:7'), ['main']);
	assert.deepEqual(matching('json.l'), ['json.loads']);
	assert.deepEqual(matching('json.l', { regex: false }), ['json.loads']);
	assert.deepEqual(matching('^main', { regex: false }), []);
	assert.equal(searchFunctions(shownOf(['a 1']).tables, SEARCH), null);
});

test('what is no regular expression matches as plain text and says why', () => {
	assert.deepEqual(matching('a(b'), ['a(b']);
	const { tables } = shownOf(['a 1']);
	assert.notEqual(searchFunctions(tables, { ...SEARCH, text: '(' })?.error, '');
	assert.equal(searchFunctions(tables, { ...SEARCH, text: 'a' })?.error, '');
});

test('titles name the file once', () => {
	const { tables } = shownOf(['main@a.py;a.py@a.py 1', ' 1']);
	assert.deepEqual(
		[0, 1, 2].map((f) => titleOf(tables, f)),
		['main (a.py:7)', 'a.py', '?'],
	);
});
