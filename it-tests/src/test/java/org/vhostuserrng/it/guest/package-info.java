/** Real guests: QEMU boots Linux against the packaged program. */
package org.vhostuserrng.it.guest;
