package main

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
)

// The grammar of k8s.io/apimachinery/pkg/api/resource; an amount is exact.
var quantityGrammar = regexp.MustCompile(`^([+-]?)(\d+\.?\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$`)

var powers = map[string]int{"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
var binaryPowers = map[string]uint{"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}

const farthest = 1000 // an exponent beyond it is refused, so that no request can cost a second

// quantity reads an amount as clients write it: text or a number.
func quantity(value any) (*big.Rat, error) {
	var said string
	switch value := value.(type) {
	case string:
		said = value
	case float64:
		said = strconv.FormatFloat(value, 'f', -1, 64)
	default:
		return nil, fmt.Errorf("quantities must be strings or numbers")
	}
	parts := quantityGrammar.FindStringSubmatch(said)
	if parts == nil {
		return nil, fmt.Errorf("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$': %q", said)
	}
	amount, read := new(big.Rat).SetString(parts[1] + parts[2])
	if !read {
		return nil, fmt.Errorf("unable to parse quantity's value: %q", said)
	}
	suffix := parts[3]
	if bits, binary := binaryPowers[suffix]; binary {
		return amount.Mul(amount, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), bits))), nil
	}
	power, decimal := powers[suffix]
	if !decimal {
		var err error
		if power, err = strconv.Atoi(suffix[1:]); err != nil || power > farthest || power < -farthest {
			return nil, fmt.Errorf("unable to parse quantity's suffix: %q", said)
		}
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(power, -power))), nil)
	if power < 0 {
		return amount.Quo(amount, new(big.Rat).SetInt(ten)), nil
	}
	return amount.Mul(amount, new(big.Rat).SetInt(ten)), nil
}

// checked remembers amounts that were read: nearly all pods ask for the same ones.
var checked = map[string]*big.Rat{}

// known is quantity with a memory; the store's lock is held.
func known(value any) (*big.Rat, error) {
	said, is := value.(string)
	if !is {
		return quantity(value)
	}
	if found := checked[said]; found != nil {
		return found, nil
	}
	amount, err := quantity(value)
	if err == nil && len(checked) < 10_000 {
		checked[said] = amount
	}
	return amount, err
}
