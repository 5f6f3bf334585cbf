// SPDX-License-Identifier: MIT
// The flames: a canvas over that part of a scrolled layout that is in sight.
import { nameOf, placeOf } from './data.js';
import { changeLabel } from './diff.js';
import { html } from './dom.js';
import { layout } from './layout.js';
import { makePainter } from './paint.js';
import { hasMatch } from './search.js';
import { formatCount, formatPercent } from './text.js';

const ROWS_PX = [26, 20]; // a row's height: the first with which the whole tree fits, else the last
const LEAST_PX = 0.3;
const LEAST_LABEL_PX = 26;
const LABEL_INSET_PX = 5;
const FADE_ABOVE = 0.5;
const FADE_MISS = 0.4;

// `show` gives what to show: { view, icicle, matches, focus (a key), hover (an item) }.
export function makeChart(tree, scroller, show) {
	const levels = tree.depth.reduce((most, depth) => Math.max(most, depth), 0) + 1;
	const focused = html('div', { id: 'frame-in-focus', role: 'treeitem' });
	const canvas = html(
		'canvas',
		{ class: 'chart', role: 'tree', tabindex: '0', 'aria-label': 'Flame graph' },
		focused,
	);
	const space = html('div', { class: 'space' }, canvas);
	const painter = makePainter(canvas);
	let rows = [];
	let rowPx = ROWS_PX[0];
	let width = 1;
	let pending = 0;
	scroller.append(space);

	const rowOf = (level) => (show.icicle ? level : rows.length - 1 - level);
	// from the canvas's top to the first row: the scrolled part is above it
	const topOf = (level) => {
		const spare = show.icicle ? 0 : Math.max(0, scroller.clientHeight - rows.length * rowPx);
		return rowOf(level) * rowPx + spare - scroller.scrollTop;
	};
	const isHit = (item) => {
		if (item.rest) return item.members.some((c) => hasMatch(show.matches, tree, c));
		return item.node > 0 && show.matches.hit[tree.fn[item.node]];
	};
	const cssOf = (item, hit) => {
		if (item.rest) return hit ? 'rest-hit' : 'rest';
		if (hit) return 'hit';
		if (tree.diff) return tree.diff.css[item.node];
		return item.node === 0 ? 'm0' : tree.functions[tree.fn[item.node]].css;
	};
	const labelOf = (item) => {
		if (item.rest)
			return [
				`${formatCount(item.frames)} more`,
				` ${formatPercent(item.samples, tree.total[0])}`,
			];
		const place = placeOf(tree, item.node);
		const change = tree.diff ? changeLabel(tree, item.node) : '';
		return [nameOf(tree, item.node), change + (place ? ` (${place})` : '')];
	};

	const paintItem = (item, y) => {
		const hit = show.matches !== null && isHit(item);
		const quiet = !hit && (item.above || show.matches !== null);
		painter.fade(hit ? 1 : (item.above ? FADE_ABOVE : 1) * (show.matches ? FADE_MISS : 1));
		painter.box(cssOf(item, hit), item.x, y, item.width, rowPx - 1);
		painter.fade(1);
		if (item.width < LEAST_LABEL_PX) return;
		const css = item.rest ? 'rest-label' : hit ? 'hit-label' : quiet ? 'quiet' : 'label';
		const [name, addition] = labelOf(item);
		painter.label(
			css,
			name,
			addition,
			item.x + LABEL_INSET_PX,
			y + rowPx / 2,
			item.width - 2 * LABEL_INSET_PX + 1,
		);
	};
	// Around the frame in focus and the one pointed at, thinner around others of its function.
	const paintOutline = (item, y) => {
		const { hover, focus } = show;
		if (item.key === focus) painter.outline(item.x, y, item.width, rowPx - 1, 2.5);
		else if (item === hover) painter.outline(item.x, y, item.width, rowPx - 1, 1.6);
		else if (hover && !hover.rest && !item.rest && tree.fn[hover.node] === tree.fn[item.node])
			painter.outline(item.x, y, item.width, rowPx - 1, 0.9);
	};
	const paint = () => {
		pending = 0;
		const height = scroller.clientHeight;
		painter.begin(width, height, rowPx > 20 ? 13 : 12);
		const inSight = rows.filter(
			(row) => row.length && topOf(row[0].level) > -rowPx && topOf(row[0].level) < height,
		);
		const passes = show.hover || show.focus ? [paintItem, paintOutline] : [paintItem];
		for (const each of passes)
			for (const row of inSight) {
				const y = topOf(row[0].level);
				for (const item of row) each(item, y);
			}
	};
	const find = (key) => {
		for (const row of rows) for (const item of row) if (item.key === key) return item;
		return null;
	};
	const itemAt = (x, y) => {
		const box = canvas.getBoundingClientRect();
		const row = rows.find(
			(each) => each.length && Math.floor((y - box.top - topOf(each[0].level)) / rowPx) === 0,
		);
		const at = x - box.left;
		return (row && row.find((item) => at >= item.x && at < item.x + item.width)) || null;
	};
	const describeFocus = () => {
		const item = show.focus === null ? null : find(show.focus);
		if (!item) return canvas.removeAttribute('aria-activedescendant');
		focused.setAttribute('aria-level', item.level + 1);
		focused.setAttribute(
			'aria-label',
			`${labelOf(item).join('')}, ${formatPercent(item.samples, tree.total[0])}`,
		);
		return canvas.setAttribute('aria-activedescendant', 'frame-in-focus');
	};

	// What is drawn and where on the window, for scripts and tests.
	canvas.frames = () => {
		const box = canvas.getBoundingClientRect();
		return rows.flat().map((item) => ({
			key: item.key,
			name: labelOf(item)[0],
			label: labelOf(item).join(''),
			rest: Boolean(item.rest),
			hit: show.matches !== null && isHit(item),
			samples: item.samples,
			level: item.level,
			x: box.left + item.x,
			y: box.top + topOf(item.level),
			width: item.width,
			height: rowPx - 1,
		}));
	};

	return {
		element: canvas,
		rows: () => rows,
		width: () => width,
		find,
		itemAt,
		readTheme: painter.readTheme,
		draw() {
			describeFocus();
			pending ||= requestAnimationFrame(paint);
		},
		// Lays the view out anew: after a zoom, another width or another direction.
		arrange() {
			const style = getComputedStyle(scroller);
			width = Math.max(
				scroller.clientWidth -
					parseFloat(style.paddingLeft) -
					parseFloat(style.paddingRight),
				1,
			);
			rowPx =
				ROWS_PX.find((px) => levels * px <= scroller.clientHeight) ||
				ROWS_PX[ROWS_PX.length - 1];
			rows = layout(tree, show.view, width, LEAST_PX);
			space.style.height = `${Math.max(rows.length * rowPx, scroller.clientHeight)}px`;
		},
		// Scrolls so that a level is in sight, with `below` rows on its root's side.
		reveal(level, below, onlyIfHidden) {
			const top = rowOf(level) * rowPx;
			const hidden =
				top < scroller.scrollTop ||
				top + rowPx > scroller.scrollTop + scroller.clientHeight;
			if (onlyIfHidden && !hidden) return;
			scroller.scrollTop = show.icicle
				? top - below * rowPx
				: top + (below + 1) * rowPx - scroller.clientHeight;
		},
	};
}
