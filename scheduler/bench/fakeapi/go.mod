module idcbench/fakeapi

go 1.21
