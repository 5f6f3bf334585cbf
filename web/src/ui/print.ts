// SPDX-License-Identifier: MIT
/** Printing: light, the picture of the present view with all its rows, and the facts at the end. */
import type { View } from '../app/app.js';
import type { Capture } from '../data/capture.js';
import { make } from './dom.js';
import { doubtsOf, summaryOf } from './head.js';

const SVG = 'http://www.w3.org/2000/svg';
/** What our pictures are made of; anything else in them is left out. */
const DRAWN =
	/^(svg|g|defs|pattern|clipPath|rect|path|line|polyline|polygon|circle|ellipse|text|tspan|title)$/;
const STYLED = /^(on|style|href|xlink)/i;

function copyDrawing(from: Element): Element | null {
	if (from.namespaceURI !== SVG || !DRAWN.test(from.localName)) return null;
	const to = document.createElementNS(SVG, from.localName);
	for (const { name, value } of from.attributes) {
		if (!STYLED.test(name) && name !== 'xmlns') to.setAttribute(name, value);
	}
	for (const child of from.childNodes) {
		if (child instanceof Text) to.append(child.data);
		else if (child instanceof Element) to.append(copyDrawing(child) ?? '');
	}
	return to;
}

/** The text of a picture as elements, without anything that could run or load; null if it is none. */
export function drawingOf(svg: string): Element | null {
	const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
	return parsed.querySelector('parsererror') ? null : copyDrawing(parsed.documentElement);
}

function factsOf(capture: Capture): HTMLElement {
	const list = make('dl', 'print-facts');
	const add = (key: string, value: string): void =>
		list.append(make('dt', '', key), make('dd', '', value));
	add('capture', summaryOf(capture).join(', '));
	for (const process of capture.processes.slice(0, 20)) add('process', process.command);
	for (const doubt of doubtsOf(capture)) add('beware', doubt);
	for (const [key, value] of capture.facts) add(key, value);
	return list;
}

/** `selection`: what narrows the view, in words. */
export function listenPrint(
	capture: Capture,
	current: () => { view: View | null; name: string; selection: string },
): void {
	const root = document.documentElement;
	let theme: string | undefined;
	const paper = make('div', 'paper');
	paper.hidden = true;
	document.body.append(paper);
	addEventListener('beforeprint', () => {
		theme = root.dataset['theme'];
		root.dataset['theme'] = 'light';
		const { view, name, selection } = current();
		const svg = view?.svg?.();
		const drawing = svg ? drawingOf(svg) : null;
		root.classList.toggle('printed-picture', drawing !== null);
		const title = make('h2', '', selection ? `${name}: ${selection}` : name);
		paper.replaceChildren(title, ...(drawing ? [drawing] : []), factsOf(capture));
		paper.hidden = false;
	});
	addEventListener('afterprint', () => {
		if (theme === undefined) delete root.dataset['theme'];
		else root.dataset['theme'] = theme;
		paper.hidden = true;
		paper.replaceChildren();
	});
}
