// SPDX-License-Identifier: MIT
/** What a picture of a call tree knows of itself, and how it draws. */
import type { App } from '../app/app.js';
import { NONE } from '../data/capture.js';
import type { Boxes, Shape, Span } from '../draw/layout.js';
import { between, boxAt, emptyBoxes, LEAST_PX, layOut } from '../draw/layout.js';
import { currentTheme } from '../ui/colours.js';
import type { Look } from './flame_look.js';
import { funcOf, makeLook, sayNode } from './flame_look.js';
import type { Rows } from './flame_paint.js';
import { depthAt, outline, paintBoxes, rowTop } from './flame_paint.js';
import type { Parts } from './flame_parts.js';
import { revealRow } from './flame_parts.js';
import type { Place } from './flame_path.js';
import { nodePlace, nodesOfStack, pathTo, resolvePath, spanOf } from './flame_path.js';

const ANIMATION_MS = 180;

export interface GraphModel {
	readonly label: string; // for screen readers
	readonly hideRoot: boolean; // node 0 is not drawn
	/** Where the focused frame is told; null: a line below the picture. */
	readonly status: HTMLElement | null;
	shape(): Shape;
	rootAtTop(): boolean;
	/** Nodes are paths from the roots, so that each stands for a stack. */
	fromRoots(): boolean;
	zoom(): readonly number[];
	setZoom(path: readonly number[]): void;
	/** What a click on a node does, in place of zooming. */
	click?(node: number): void;
}

export interface Picture {
	readonly app: App;
	readonly model: GraphModel;
	readonly parts: Parts;
	readonly boxes: Boxes;
	shape: Shape;
	look: Look;
	window: Span; // as drawn, on the way to `target`
	target: Span;
	moving: { readonly from: Span; readonly since: number } | null;
	focus: number; // a node, or NONE
	pointed: number; // a box by index, or NONE
	width: number;
	atTop: boolean | null; // where the root was drawn last
	atBottom: boolean; // scrolled to the end then
	frame: number; // asked for, or 0
	rows: Rows;
}

const isStill = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;
const rowHeight = (): number => (matchMedia('(pointer: coarse)').matches ? 26 : 19);

export function makePicture(app: App, model: GraphModel, parts: Parts): Picture {
	const shape = model.shape();
	const window = spanOf(shape, nodePlace(0));
	const rows = { rowPx: 19, rootAtTop: true, contentPx: 0, scrollPx: 0, heightPx: 0 };
	return {
		app,
		model,
		parts,
		boxes: emptyBoxes(),
		shape,
		look: makeLook(app, shape, currentTheme()),
		window,
		target: window,
		moving: null,
		focus: NONE,
		pointed: NONE,
		width: 0,
		atTop: null,
		atBottom: false,
		frame: 0,
		rows: { ...rows, hideRoot: model.hideRoot },
	};
}

function measure(p: Picture): void {
	const { parts, model, shape } = p;
	const { hideRoot } = model;
	const rowPx = rowHeight();
	const contentPx = Math.max(1, shape.tree.maxDepth + (hideRoot ? 0 : 1)) * rowPx;
	const rootAtTop = model.rootAtTop();
	parts.content.style.height = `${contentPx}px`;
	p.width = parts.scroller.clientWidth;
	const heightPx = Math.min(contentPx, parts.scroller.clientHeight);
	parts.holder.style.height = `${heightPx}px`;
	// the root stays in view when the room for it changes
	if (p.atTop !== rootAtTop || (!rootAtTop && p.atBottom && heightPx !== p.rows.heightPx)) {
		parts.scroller.scrollTop = rootAtTop ? 0 : contentPx;
	}
	const scrollPx = Math.min(parts.scroller.scrollTop, contentPx - heightPx);
	p.atTop = rootAtTop;
	p.atBottom = scrollPx >= contentPx - heightPx - 2;
	p.rows = { rowPx, rootAtTop, contentPx, scrollPx, heightPx, hideRoot };
}

/** Whether a box is, or pools, a node. */
function holds(p: Picture, index: number, node: number): boolean {
	const { boxes, shape } = p;
	const first = boxes.node[index];
	if (!boxes.more[index]) return first === node;
	if (shape.tree.parent[first] !== shape.tree.parent[node]) return false;
	const at = shape.start[node] - shape.start[first];
	return at >= 0 && at < boxes.weight[index];
}

/** The box that is, or pools, a node; -1 if none is drawn. */
export function boxOf(p: Picture, node: number): number {
	for (let i = 0; i < p.boxes.count; i++) if (holds(p, i, node)) return i;
	return -1;
}

export const indexAt = (p: Picture, x: number, y: number): number =>
	boxAt(p.boxes, x, depthAt(p.rows, y));

/** What is pointed at, the focus, and what lights up with a hover in any view, as outlines. */
export function drawOver(p: Picture): void {
	const { app, boxes, shape, model, parts } = p;
	if (p.width <= 0) return;
	parts.over.begin(p.width, p.rows.heightPx);
	const { theme } = p.look;
	const { func, stack } = app.hover;
	const onPath =
		stack !== NONE && model.fromRoots()
			? new Set(nodesOfStack(app.shown().tables, shape.tree, stack))
			: null;
	outline(parts.over, boxes, p.rows, (node, index) => {
		if (index === p.pointed) return [theme.text, 2];
		if (p.focus !== NONE && holds(p, index, p.focus)) return [theme.accent, 3];
		if (boxes.more[index]) return null;
		if (onPath?.has(node)) return [theme.accent, 1.5];
		const lit = func !== NONE && funcOf(app.shown(), shape, node) === func;
		return lit ? [theme.text, 1.5] : null;
	});
}

export function draw(p: Picture): void {
	measure(p);
	if (p.width <= 0) return;
	layOut(p.shape, p.window, p.width, LEAST_PX, p.boxes);
	p.parts.main.begin(p.width, p.rows.heightPx);
	paintBoxes(p.parts.main, p.boxes, p.rows, p.look, p.shape.value[0]);
	p.pointed = NONE;
	drawOver(p);
}

function tick(p: Picture, now: number): void {
	p.frame = 0;
	if (p.moving) {
		const t = Math.min(1, Math.max(0, (now - p.moving.since) / ANIMATION_MS));
		p.window = between(p.moving.from, p.target, 1 - (1 - t) ** 3);
		if (t === 1) {
			p.moving = null;
			p.window = p.target;
		}
	}
	draw(p);
	if (p.moving) drawLater(p);
}

/** With the next frame of the browser. */
export function drawLater(p: Picture): void {
	if (!p.frame) p.frame = requestAnimationFrame((now) => tick(p, now));
}

export const placeOf = (p: Picture): Place => resolvePath(p.shape.tree, p.model.zoom());

/** Goes to where the model is zoomed to. */
export function followZoom(p: Picture, animate: boolean): void {
	const next = spanOf(p.shape, placeOf(p));
	if (animate && next.from === p.target.from && next.to === p.target.to) return;
	p.target = next;
	p.moving = animate && !isStill() ? { from: p.window, since: performance.now() } : null;
	if (!p.moving) p.window = next;
}

export function setFocus(p: Picture, node: number): void {
	p.focus = node;
	p.parts.status.textContent = node === NONE ? '' : sayNode(p.app, p.shape, node);
	if (node !== NONE) {
		const y = rowTop(p.rows, p.shape.tree.depth[node]);
		revealRow(p.parts, y, p.rows.rowPx, 0, p.rows.heightPx);
	}
	drawLater(p);
}

/** Another tree: the focused node is kept if it is still there. */
export function changeShape(p: Picture, next: Shape): void {
	const { tree } = p.shape;
	const path = p.focus === NONE ? [] : pathTo(tree, nodePlace(p.focus));
	p.shape = next;
	if (next.tree === tree) return;
	const found = resolvePath(next.tree, path).node;
	const kept = found > 0 && next.tree.depth[found] === path.length;
	p.focus = kept ? found : NONE;
	p.parts.status.textContent = kept ? sayNode(p.app, next, found) : '';
}
