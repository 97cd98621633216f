/** Real guests under QEMU. All but {@link org.vhostuserrng.it.guest.LinuxGuestIT} are tagged {@code container}. */
package org.vhostuserrng.it.guest;
