// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { svgOf } from '../src/draw/svg.js';
import { makeFitter } from '../src/draw/text.js';
import { LIGHT } from '../src/ui/colours.js';
import type { Drawing } from '../src/ui/print.js';
import { readDrawing } from '../src/ui/print.js';

function all(drawing: Drawing): Drawing[] {
	return [drawing, ...drawing.children.flatMap((c) => (typeof c === 'string' ? [] : all(c)))];
}

const textOf = (drawing: Drawing): string =>
	drawing.children.map((c) => (typeof c === 'string' ? c : textOf(c))).join('');

test('a picture comes back with its boxes and texts', () => {
	const name = '</title><script>alert(1)</script> & "quoted" \u{1f525}';
	const box = { x: 3, y: 0, width: 400, height: 18, fill: '#ff8800', text: name, title: name };
	const picture = { title: name, width: 500, height: 40, boxes: [box], texts: [] };
	const drawing = readDrawing(
		svgOf(
			picture,
			LIGHT,
			makeFitter((text) => text.length),
		),
	);
	assert.ok(drawing);
	const parts = all(drawing);
	assert.deepEqual(drawing.attributes.slice(0, 2), [
		['width', '500'],
		['height', '40'],
	]);
	assert.ok(!parts.some((p) => p.name === 'script' || p.name === 'style'));
	assert.equal(
		parts
			.filter((p) => p.name === 'title')
			.map(textOf)
			.at(-1),
		name,
	);
	assert.equal(textOf(parts.find((p) => p.name === 'text') ?? drawing), name);
	const fills = parts.flatMap((p) => p.attributes.filter(([k]) => k === 'fill').map(([, v]) => v));
	assert.ok(fills.includes('#ff8800'));
});

test('nothing that runs or loads comes through', () => {
	const drawing = readDrawing(
		'<svg xmlns="x" onload="a()"><script>b()</script><a href="c"><rect style="d" fill="#111"/></a>' +
			'<image href="e"/><foreignObject><p>f</p></foreignObject><rect onclick="g" x="1"/></svg>',
	);
	assert.ok(drawing);
	const parts = all(drawing);
	assert.deepEqual([...new Set(parts.map((p) => p.name))], ['svg', 'rect']);
	assert.deepEqual(
		parts.flatMap((p) => p.attributes),
		[['x', '1']],
	);
});

test('what is no picture is none', () => {
	for (const text of ['', 'text', '<p></p>', '<svg>', '<svg></svg></svg>', '</svg>']) {
		assert.equal(readDrawing(text), null, text);
	}
});
