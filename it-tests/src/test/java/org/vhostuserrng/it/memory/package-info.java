/** Tests of guest memory: memory slots, sealing, truncation, limits, dirty page log, IOMMU. */
package org.vhostuserrng.it.memory;
