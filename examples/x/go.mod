module example.com/upstream/examples/x

go 1.25.0

replace example.com/upstream => ../..

require (
	example.com/upstream v0.0.0-00010101000000-000000000000
	github.com/dghubble/oauth1 v0.7.3
	github.com/stretchr/testify v1.12.1
	golang.org/x/oauth2 v0.36.0
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect
