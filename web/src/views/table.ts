// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeTable(): View {
	return {
		mount(root) {
			root.textContent = 'table: not yet';
		},
		update() {},
		help: [],
	};
}
