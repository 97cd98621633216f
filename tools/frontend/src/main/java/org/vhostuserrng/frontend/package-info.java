/** Placeholder. */
package org.vhostuserrng.frontend;
