/** Placeholder. */
package org.vhostuserrng.transport;
