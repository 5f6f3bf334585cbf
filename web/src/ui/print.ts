// SPDX-License-Identifier: MIT
/** Printing: light, the picture of the present view with all its rows, and the facts at the end. */
import type { View } from '../app/app.js';
import type { Capture } from '../data/capture.js';
import { make, part } from './dom.js';
import { doubtsOf, summaryOf } from './head.js';

const SVG = 'http://www.w3.org/2000/svg';
/** What our pictures are made of; anything else in them is left out. */
const DRAWN =
	/^(svg|g|defs|pattern|clipPath|rect|path|line|polyline|polygon|circle|ellipse|text|tspan|title)$/;
const LEFT_OUT = /^(on|style|href|xlink|xmlns)/i;
const NAMED: Readonly<Record<string, string>> = {
	amp: '&',
	lt: '<',
	gt: '>',
	quot: '"',
	apos: "'",
};

export interface Drawing {
	readonly name: string;
	readonly attributes: readonly (readonly [string, string])[];
	readonly children: (Drawing | string)[];
}

function readText(text: string): string {
	return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
		const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : Number.NaN;
		if (code <= 0x10ffff) return String.fromCodePoint(code);
		return NAMED[name] ?? whole;
	});
}

/**
 * The elements of a picture that a view made, without anything that could run or load. The page's
 * policy lets nobody make elements from text, so that it is read here; null if it is no picture.
 */
export function readDrawing(svg: string): Drawing | null {
	const root: Drawing = { name: '', attributes: [], children: [] };
	const open = [root];
	for (const [, end, name, words, empty, text] of svg.matchAll(
		/<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>|([^<]+)/g,
	)) {
		const parent = open.at(-1);
		if (!parent) return null;
		if (name === undefined) parent.children.push(readText(text ?? ''));
		else if (end) open.pop();
		else {
			const attributes = [...(words ?? '').matchAll(/([\w:-]+)="([^"]*)"/g)].map(
				([, key, value]) => [key ?? '', readText(value ?? '')] as const,
			);
			const made = {
				name,
				attributes: attributes.filter(([key]) => !LEFT_OUT.test(key)),
				children: [],
			};
			if (DRAWN.test(name)) parent.children.push(made);
			if (!empty) open.push(made);
		}
	}
	const drawing = root.children.find((child) => typeof child === 'object');
	return open.length === 1 && drawing?.name === 'svg' ? drawing : null;
}

function draw(from: Drawing): SVGElement {
	const to = document.createElementNS(SVG, from.name) as SVGElement;
	for (const [key, value] of from.attributes) to.setAttribute(key, value);
	to.append(...from.children.map((child) => (typeof child === 'string' ? child : draw(child))));
	return to;
}

function factsOf(capture: Capture): HTMLElement {
	const list = make('dl', 'print-facts');
	const add = (key: string, value: string): void =>
		list.append(make('dt', '', key), make('dd', '', value));
	add('capture', summaryOf(capture).join(', '));
	// times of imported captures may be none, or nonsense
	const began = new Date(Number(capture.startNs / 1_000_000n));
	if (capture.startNs > 0n && !Number.isNaN(began.getTime())) add('began', began.toISOString());
	for (const process of capture.processes.slice(0, 20)) add('process', process.command);
	for (const doubt of doubtsOf(capture)) add('beware', doubt);
	for (const [key, value] of capture.facts) if (!key.endsWith('_ns')) add(key, value);
	return list;
}

/**
 * `current`: what is seen, and what narrows it, in words. `redraw` draws all that is visible at once
 * with the colours that the page has then.
 */
export function listenPrint(
	capture: Capture,
	current: () => { view: View | null; words: string },
	redraw: () => void,
): void {
	const root = document.documentElement;
	let theme: string | undefined;
	const title = make('p', 'paper-title');
	const paper = make('div', 'paper');
	part('head').append(title);
	document.body.append(paper);
	addEventListener('beforeprint', () => {
		theme = root.dataset['theme'];
		root.dataset['theme'] = 'light';
		redraw();
		const { view, words } = current();
		const svg = view?.svg?.();
		const drawing = svg ? readDrawing(svg) : null;
		root.classList.toggle('printed-picture', drawing !== null);
		title.textContent = words;
		paper.replaceChildren(...(drawing ? [draw(drawing)] : []), factsOf(capture));
	});
	addEventListener('afterprint', () => {
		if (theme === undefined) delete root.dataset['theme'];
		else root.dataset['theme'] = theme;
		paper.replaceChildren();
		redraw();
	});
}
