// SPDX-License-Identifier: MIT
/**
 * One call tree as boxes on a canvas: what the flame graph, and each half of the sandwich, is made
 * of. Draws, answers pointer and keys, and moves between zooms; what it shows and where a zoom is
 * kept is the model's.
 */
import type { App, Change, MenuItem } from '../app/app.js';
import { captureFunc, frameMenu, goTo, runMenuKey, undoItems } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import type { Shape, Span } from '../draw/layout.js';
import { LEAST_PX } from '../draw/layout.js';
import { currentTheme } from '../ui/colours.js';
import { listenToPointer } from './flame_input.js';
import { moveFocus } from './flame_keys.js';
import type { Look } from './flame_look.js';
import { funcOf, makeLook, poolLines, tipLines } from './flame_look.js';
import { rowTop } from './flame_paint.js';
import { makeParts } from './flame_parts.js';
import { nodePlace, outwards, pathTo, stackOfNode } from './flame_path.js';
import type { GraphModel, Picture } from './flame_state.js';
import {
	boxOf,
	changeShape,
	draw,
	drawLater,
	drawOver,
	followZoom,
	indexAt,
	makePicture,
	placeOf,
	setFocus,
} from './flame_state.js';
import { concernsTrees } from './flame_tools.js';

export type { GraphModel } from './flame_state.js';

export interface Graph {
	readonly element: HTMLElement;
	update(changed: ReadonlySet<Change>): void;
	key(event: KeyboardEvent): boolean;
	/** Focuses a node and makes it visible, zooming if it must. */
	show(node: number): void;
	focused(): number; // a node, or NONE
	look(): Look;
	shape(): Shape;
	window(): Span; // what is zoomed into
	width(): number;
}

const zoomTo = (p: Picture, node: number): void =>
	p.model.setZoom(pathTo(p.shape.tree, nodePlace(node)));

function zoomOut(p: Picture): boolean {
	const now = placeOf(p);
	if (now.node === 0 && now.pool === NONE) return false;
	p.model.setZoom(pathTo(p.shape.tree, outwards(p.shape, now)));
	return true;
}

function openPool(p: Picture, index: number): void {
	const { boxes, shape } = p;
	const first = boxes.node[index];
	const pool = { node: shape.tree.parent[first], pool: first, last: boxes.last[index] };
	p.model.setZoom(pathTo(shape.tree, boxes.more[index] === 1 ? nodePlace(first) : pool));
}

/** What a click on a node does: zooms, and its function is the chosen one in all views. */
function activate(p: Picture, node: number): void {
	if (p.model.click) {
		p.model.click(node);
		return;
	}
	const { tables } = p.app.shown();
	const func = captureFunc(p.app.capture, tables, funcOf(p.app.shown(), p.shape, node));
	zoomTo(p, node);
	p.app.set({ func, line: func === NONE ? 0 : tables.frameLine[p.shape.tree.frame[node]] }, 'step');
}

function click(p: Picture, index: number): void {
	if (index < 0) return;
	const node = p.boxes.node[index];
	setFocus(p, node);
	if (p.boxes.more[index]) openPool(p, index);
	else activate(p, node);
}

const stackOf = (p: Picture, node: number): number =>
	p.model.fromRoots() ? stackOfNode(p.app.shown().tables, p.shape.tree, node) : NONE;

function menuOf(p: Picture, node: number): MenuItem[] {
	const { app, model } = p;
	if (node === 0) {
		return [
			{ label: 'all' },
			{ label: 'Zoom out to all', run: () => zoomTo(p, 0) },
			...undoItems(app),
		];
	}
	const func = funcOf(app.shown(), p.shape, node);
	const items = frameMenu(app, app.shown().tables, func, stackOf(p, node));
	const key = model.click ? 'Shift+Enter' : 'Enter';
	const zoom = { label: 'Zoom into it', key, run: () => zoomTo(p, node) };
	return [...items.slice(0, 1), zoom, ...items.slice(1)];
}

function showSource(p: Picture, node: number): void {
	const { tables } = p.app.shown();
	const func = funcOf(p.app.shown(), p.shape, node);
	if (func >= 0) goTo(p.app, tables, func, 'source', tables.frameLine[p.shape.tree.frame[node]]);
}

/** The menu of the focused frame, beside it. */
function openMenu(p: Picture): void {
	const node = Math.max(0, p.focus);
	const index = boxOf(p, node);
	const box = p.parts.holder.getBoundingClientRect();
	const x = index < 0 ? 0 : p.boxes.x[index];
	const y = rowTop(p.rows, p.shape.tree.depth[node]) + p.rows.rowPx;
	p.app.showMenu(box.left + x + 8, box.top + y, menuOf(p, node));
}

function tipOf(p: Picture, index: number): string[] {
	const { app, boxes } = p;
	if (boxes.more[index]) return poolLines(app, boxes.more[index], boxes.weight[index]);
	return tipLines(app, p.shape, boxes.node[index], placeOf(p).node);
}

/** Tells all views what is pointed at. */
function sendHover(p: Picture, index: number): void {
	if (index < 0) {
		p.app.setHover(null);
		return;
	}
	const node = p.boxes.node[index];
	const one = p.boxes.more[index] === 0 && node > 0;
	p.app.setHover({
		func: one ? funcOf(p.app.shown(), p.shape, node) : NONE,
		stack: one ? stackOf(p, node) : NONE,
		sample: NONE,
	});
}

function point(p: Picture, index: number, clientX: number, clientY: number): void {
	p.app.showTip(clientX, clientY, index < 0 ? null : tipOf(p, index));
	if (index === p.pointed) return;
	p.pointed = index;
	p.parts.holder.style.cursor = index < 0 ? 'default' : 'pointer';
	sendHover(p, index);
	drawOver(p);
}

function listen(p: Picture): void {
	const { parts, app } = p;
	listenToPointer(parts.holder, {
		hover: (x, y, clientX, clientY) => point(p, indexAt(p, x, y), clientX, clientY),
		leave: () => point(p, NONE, 0, 0),
		click: (x, y) => click(p, indexAt(p, x, y)),
		// the first of the two clicks has focused the frame, and moved the boxes
		doubleClick: () => showSource(p, p.focus),
		menu(x, y, clientX, clientY) {
			const index = indexAt(p, x, y);
			if (index < 0) return;
			setFocus(p, p.boxes.node[index]);
			app.showTip(0, 0, null);
			app.showMenu(clientX, clientY, menuOf(p, p.boxes.node[index]));
		},
	});
	parts.scroller.addEventListener('scroll', () => drawLater(p), { passive: true });
	new ResizeObserver(() => drawLater(p)).observe(parts.scroller);
}

/** Arrows and Home; true if there was a frame to go to. */
function move(p: Picture, event: KeyboardEvent): boolean {
	const nothing = p.focus === NONE;
	const from = nothing ? placeOf(p).node : p.focus;
	const next = moveFocus(p.shape, from, nothing, event, p.rows.rootAtTop, p.model.hideRoot);
	if (next !== NONE) setFocus(p, next);
	return next !== NONE;
}

function key(p: Picture, event: KeyboardEvent): boolean {
	if (event.ctrlKey || event.metaKey || event.altKey) return false;
	if (event.key.startsWith('Arrow') || event.key === 'Home') return move(p, event);
	if (event.key === 'Escape' || event.key === 'Backspace') return zoomOut(p);
	if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
		openMenu(p);
		return true;
	}
	if (p.focus === NONE) return false;
	if (event.key !== 'Enter') return runMenuKey(menuOf(p, p.focus), event);
	if (event.shiftKey) zoomTo(p, p.focus);
	else activate(p, p.focus);
	return true;
}

function show(p: Picture, node: number): void {
	const { from, to } = p.target;
	const start = p.shape.start[node];
	const px = (p.shape.value[node] / (to - from)) * p.width;
	if (start < from || start >= to || px < LEAST_PX) zoomTo(p, node);
	setFocus(p, node);
}

function update(p: Picture, changed: ReadonlySet<Change>): void {
	const next = p.model.shape();
	const other = next !== p.shape;
	if (!other && !concernsTrees(changed)) {
		if (changed.has('hover')) drawOver(p);
		return;
	}
	if (other) changeShape(p, next);
	followZoom(p, !other && !changed.has('size'));
	p.look = makeLook(p.app, p.shape, currentTheme());
	if (p.moving) drawLater(p);
	else draw(p);
}

export function makeGraph(host: HTMLElement, app: App, model: GraphModel): Graph {
	const p = makePicture(app, model, makeParts(host, model.label, model.status));
	listen(p);
	return {
		element: p.parts.element,
		update: (changed) => update(p, changed),
		key: (event) => key(p, event),
		show: (node) => show(p, node),
		focused: () => p.focus,
		look: () => p.look,
		shape: () => p.shape,
		window: () => p.target,
		width: () => Math.max(p.width, 300),
	};
}
